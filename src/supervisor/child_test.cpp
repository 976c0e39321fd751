#include "supervisor/child.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace boathouse::supervisor {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

TEST(ChildTest, GetsTheEnvironmentThatIsGivenAndNoMore) {
    EXPECT_EQ(output_of({.program = "/usr/bin/env", .environment = {{"ONLY", "this"}}}), "ONLY=this\n");
}

TEST(ChildTest, ToldWhenTheProgramCannotBeRun) {
    const auto child = start_child({.program = "/no/such/program"});
    ASSERT_FALSE(child);
    EXPECT_EQ(child.error().kind, ErrorKind::not_found);
    EXPECT_THAT(child.error().message, HasSubstr("/no/such/program"));
}

TEST(ChildTest, SaysHowItEnded) {
    EXPECT_EQ((ChildEnd{.pid = 1, .status = 0x0300}).text(), "exited with code 3");
    EXPECT_EQ((ChildEnd{.pid = 1, .status = 9}).text(), "killed by signal 9 (Killed)");
    EXPECT_EQ((ChildEnd{.pid = 1, .status = 9}).exit_code(), std::nullopt);
}

TEST(LineReaderTest, GivesLinesOutWholeAndTheRestAtTheEnd) {
    auto pipe = make_pipe();
    ASSERT_TRUE(pipe);
    LineReader reader(std::move(pipe->first));
    ASSERT_EQ(::write(pipe->second.get(), "one\ntw", 6), 6);
    EXPECT_THAT(reader.read_lines(), ElementsAre("one"));
    ASSERT_EQ(::write(pipe->second.get(), "o\n\nlast", 7), 7);
    EXPECT_THAT(reader.read_lines(), ElementsAre("two", ""));
    pipe->second.close();
    EXPECT_THAT(reader.read_lines(), ElementsAre("last"));
    EXPECT_LT(reader.fd(), 0);
}

TEST(LineReaderTest, CutsALineThatIsTooLong) {
    auto pipe = make_pipe();
    ASSERT_TRUE(pipe);
    LineReader reader(std::move(pipe->first));
    const std::string line = std::string(20000, 'x') + "\nnext\n";
    ASSERT_EQ(::write(pipe->second.get(), line.data(), line.size()), static_cast<ssize_t>(line.size()));
    EXPECT_THAT(reader.read_lines(), ElementsAre(SizeIs(8192), "next"));
}

}  // namespace
}  // namespace boathouse::supervisor
