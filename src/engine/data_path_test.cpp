#include "engine/data_path.hpp"

#include <gmock/gmock.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace boathouse::engine {
namespace {

using ::testing::HasSubstr;

class DataPath : public ::testing::Test {
  protected:
    void SetUp() override {
        char name[] = "/tmp/boathouse-data-path-XXXXXX";
        root_ = ::mkdtemp(name);
    }
    void TearDown() override { std::filesystem::remove_all(root_); }
    std::string root_;
};

TEST_F(DataPath, AWritableDirectoryIsFineAndStaysEmpty) {
    ASSERT_TRUE(create_local_directory(root_ + "/a/b/"));
    EXPECT_TRUE(check_local_directory(root_ + "/a/b/"));
    EXPECT_TRUE(std::filesystem::is_empty(root_ + "/a/b"));
}

TEST_F(DataPath, AFileInTheWayIsAConfigurationError) {
    std::ofstream(root_ + "/lake") << "x";
    const auto status = create_local_directory(root_ + "/lake/");
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().kind, ErrorKind::configuration);
    EXPECT_THAT(status.error().message, HasSubstr(root_ + "/lake"));
}

TEST_F(DataPath, AFileSystemThatTakesNoFilesIsRefused) {
    // Root passes permissions, but not even root makes files in /proc.
    const auto status = check_local_directory("/proc/sys/");
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().kind, ErrorKind::permission);
    EXPECT_THAT(status.error().message, HasSubstr("/proc/sys/"));
}

TEST_F(DataPath, AMissingDirectoryIsNotMadeByTheCheck) {
    const auto status = check_local_directory(root_ + "/nowhere");
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().kind, ErrorKind::not_found);
    EXPECT_FALSE(std::filesystem::exists(root_ + "/nowhere"));
}

TEST_F(DataPath, DifferentPathsAreNamedBoth) {
    const auto status = check_same_data_path("s3://old/lake/", "/data/lake/");
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().kind, ErrorKind::configuration);
    EXPECT_THAT(status.error().message, HasSubstr("s3://old/lake/"));
    EXPECT_THAT(status.error().message, HasSubstr("/data/lake/"));
    EXPECT_THAT(status.error().hint, HasSubstr("DATA_PATH=s3://old/lake/"));
}

TEST_F(DataPath, SpellingsOfOnePathAreTheSame) {
    EXPECT_TRUE(check_same_data_path("/data/lake/", "/data//x/../lake"));
    EXPECT_TRUE(check_same_data_path("s3://bucket/lake/", "s3://bucket/lake"));
    std::filesystem::create_directory(root_ + "/real");
    std::filesystem::create_symlink(root_ + "/real", root_ + "/link");
    EXPECT_TRUE(check_same_data_path(root_ + "/real/", root_ + "/link/"));
}

}  // namespace
}  // namespace boathouse::engine
