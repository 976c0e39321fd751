#include "base/file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace boathouse {
namespace {

class FileTest : public testing::Test {
  protected:
    void SetUp() override {
        std::string name = (std::filesystem::temp_directory_path() / "boathouse-file-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        directory_ = name;
    }
    void TearDown() override { std::filesystem::remove_all(directory_); }
    std::string directory_;
};

TEST_F(FileTest, ReplacesWholeWithTheModeThatIsAsked) {
    const std::string path = directory_ + "/secret";
    ASSERT_TRUE(write_file(path, "first", 0644));
    ASSERT_TRUE(write_file(path, "second", 0600));
    EXPECT_EQ(read_file(path).value(), "second");
    struct stat status {};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0600u);
    EXPECT_FALSE(std::filesystem::exists(path + ".new"));
}

TEST_F(FileTest, SurvivesAWriterThatWasKilled) {
    const std::string path = directory_ + "/state";
    ASSERT_TRUE(write_file(path + ".new", "half", 0400));
    ASSERT_TRUE(write_file(path, "whole", 0600));
    EXPECT_EQ(read_file(path).value(), "whole");
}

TEST_F(FileTest, NamesTheFileAndTheReason) {
    const auto missing = read_file(directory_ + "/none");
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().kind, ErrorKind::not_found);
    EXPECT_EQ(missing.error().message, "cannot read " + directory_ + "/none: No such file or directory");
    EXPECT_EQ(write_file(directory_ + "/no/where", "", 0600).error().kind, ErrorKind::not_found);
}

TEST_F(FileTest, RefusesWhatIsTooLarge) {
    ASSERT_TRUE(write_file(directory_ + "/large", std::string(100, 'x'), 0600));
    EXPECT_EQ(read_file(directory_ + "/large", 99).error().kind, ErrorKind::limit);
    EXPECT_EQ(read_file(directory_ + "/large", 100).value().size(), 100u);
}

TEST(FileDescriptorTest, ClosesOnceAndMoves) {
    FileDescriptor first(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    const int number = first.get();
    FileDescriptor second(std::move(first));
    EXPECT_EQ(second.get(), number);
    second.close();
    EXPECT_FALSE(second);
    EXPECT_EQ(::fcntl(number, F_GETFD), -1);
}

}  // namespace
}  // namespace boathouse
