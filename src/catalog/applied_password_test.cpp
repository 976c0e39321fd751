#include "catalog/applied_password.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>

namespace boathouse::catalog {
namespace {

class AppliedPassword : public testing::Test {
  protected:
    void SetUp() override {
        std::string pattern = "/tmp/boathouse-test-XXXXXX";
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        dir_ = pattern;
    }
    void TearDown() override { std::filesystem::remove_all(dir_); }

    std::string dir_;
};

TEST_F(AppliedPassword, IsUnknownBeforeItWasRemembered) {
    EXPECT_FALSE(is_applied_password(dir_, Secret("a")));
}

TEST_F(AppliedPassword, IsRecognisedUntilAnotherIsRemembered) {
    remember_applied_password(dir_ + "/secrets", Secret("first")).value();
    EXPECT_TRUE(is_applied_password(dir_ + "/secrets", Secret("first")));
    EXPECT_FALSE(is_applied_password(dir_ + "/secrets", Secret("second")));
    remember_applied_password(dir_ + "/secrets", Secret("second")).value();
    EXPECT_TRUE(is_applied_password(dir_ + "/secrets", Secret("second")));
}

TEST_F(AppliedPassword, IsNeitherReadableByOthersNorInTheFile) {
    remember_applied_password(dir_, Secret("correct horse")).value();
    struct stat status {};
    ASSERT_EQ(::stat((dir_ + "/applied-password").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
    EXPECT_EQ(status.st_size, 48);  // salt and digest
}

TEST_F(AppliedPassword, SaysWhereItCannotWrite) {
    std::filesystem::create_directory(dir_ + "/applied-password");
    const auto remembered = remember_applied_password(dir_, Secret("a"));
    ASSERT_FALSE(remembered);
    EXPECT_NE(remembered.error().message.find(dir_ + "/applied-password"), std::string::npos);
}

}  // namespace
}  // namespace boathouse::catalog
