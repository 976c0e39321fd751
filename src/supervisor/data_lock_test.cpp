#include "supervisor/data_lock.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <optional>

namespace boathouse::supervisor {
namespace {

using testing::HasSubstr;

class DataLockTest : public testing::Test {
  protected:
    void SetUp() override {
        std::string name = (std::filesystem::temp_directory_path() / "boathouse-lock-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        run_dir_ = name;
    }
    void TearDown() override { std::filesystem::remove_all(run_dir_); }
    Result<DataLock> acquire() const {
        return DataLock::acquire(run_dir_, {.name = "", .home = "", .uid = ::getuid(), .gid = ::getgid()});
    }
    std::string run_dir_;
};

TEST_F(DataLockTest, NamesWhoHoldsIt) {
    const auto first = acquire();
    ASSERT_TRUE(first);
    EXPECT_TRUE(DataLock::is_held(run_dir_).value());
    const auto second = acquire();
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind, ErrorKind::conflict);
    EXPECT_THAT(second.error().message, HasSubstr("(process " + std::to_string(::getpid()) + ")"));
}

TEST_F(DataLockTest, IsFreeOnceItsHolderIsGone) {
    { ASSERT_TRUE(acquire()); }
    EXPECT_FALSE(DataLock::is_held(run_dir_).value());
    EXPECT_TRUE(acquire()) << "the file that is left behind was taken for a lock";
}

TEST_F(DataLockTest, WhereNoBoxHasRunThereIsNoLock) {
    EXPECT_EQ(DataLock::is_held(run_dir_).error().kind, ErrorKind::not_found);
}

}  // namespace
}  // namespace boathouse::supervisor
