#include "cli/program.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace boathouse::cli {
namespace {

TEST(RunProgramTest, GivesOutputAndExitCode) {
    const auto end = run_program({.command = {"sh", "-c", "echo \"$1\"; exit 3", "sh", "it's $HOME; as it stands"}});
    ASSERT_TRUE(end);
    EXPECT_EQ(end->output, "it's $HOME; as it stands\n");
    EXPECT_EQ(end->exit_code, 3);
}

TEST(RunProgramTest, TellsADeathBySignal) {
    const auto end = run_program({.command = {"sh", "-c", "kill -9 $$"}});
    ASSERT_TRUE(end);
    EXPECT_EQ(end->exit_code, 128 + 9);
}

TEST(RunProgramTest, GivesNoInputAndKeepsErrorsOutOfTheOutput) {
    const auto end = run_program({.command = {"sh", "-c", "cat; echo unseen >&2"}, .is_quiet = true});
    ASSERT_TRUE(end);
    EXPECT_EQ(end->output, "");
}

TEST(RunProgramTest, SaysWhatCannotBeRun) {
    const auto end = run_program({.command = {"/nonexistent/program"}});
    ASSERT_FALSE(end);
    EXPECT_EQ(end.error().kind, ErrorKind::not_found);
    EXPECT_THAT(end.error().message, testing::HasSubstr("/nonexistent/program"));
}

TEST(RunProgramTest, TakesNoMoreThanItsLimit) {
    const auto end = run_program({.command = {"head", "-c", "2000000", "/dev/zero"}});
    ASSERT_FALSE(end);
    EXPECT_EQ(end.error().kind, ErrorKind::limit);
}

}  // namespace
}  // namespace boathouse::cli
