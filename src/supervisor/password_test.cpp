#include "supervisor/password.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

#include "base/file.hpp"

namespace boathouse::supervisor {
namespace {

class PasswordTest : public testing::Test {
  protected:
    void SetUp() override {
        std::string name = (std::filesystem::temp_directory_path() / "boathouse-password-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        path_ = name + "/postgres_password";
    }
    void TearDown() override { std::filesystem::remove_all(std::filesystem::path(path_).parent_path()); }
    std::string path_;
};

TEST_F(PasswordTest, IsGeneratedOnceAndKept) {
    const auto first = generated_password(path_);
    ASSERT_TRUE(first);
    EXPECT_TRUE(first->is_new);
    EXPECT_EQ(first->password.reveal().size(), 26u);
    struct stat status {};
    ASSERT_EQ(::stat(path_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0600u);
    const auto second = generated_password(path_);
    ASSERT_TRUE(second);
    EXPECT_FALSE(second->is_new);
    EXPECT_EQ(second->password, first->password);
}

TEST_F(PasswordTest, IsAnotherEachTime) {
    const auto first = generated_password(path_);
    const auto second = generated_password(path_ + "2");
    EXPECT_FALSE(first->password == second->password);
}

TEST_F(PasswordTest, AnEmptyFileIsNoPassword) {
    ASSERT_TRUE(write_file(path_, "\n", 0600));
    EXPECT_EQ(generated_password(path_).error().kind, ErrorKind::corrupt);
}

}  // namespace
}  // namespace boathouse::supervisor
