#include "supervisor/certificate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

#include "base/file.hpp"

namespace boathouse::supervisor {
namespace {

using testing::HasSubstr;

class CertificateTest : public testing::Test {
  protected:
    void SetUp() override {
        std::string name = (std::filesystem::temp_directory_path() / "boathouse-tls-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        directory_ = name;
        files_ = {.certificate = directory_ + "/server.crt", .key = directory_ + "/server.key"};
    }
    void TearDown() override { std::filesystem::remove_all(directory_); }
    std::string directory_;
    CertificateFiles files_;
};

TEST_F(CertificateTest, IsGeneratedOnceAndFitToServe) {
    ASSERT_TRUE(ensure_self_signed(files_, {"boat.example", "192.0.2.7"}));
    const std::string first = read_file(files_.certificate).value();
    struct stat status {};
    ASSERT_EQ(::stat(files_.key.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0600u);
    EXPECT_TRUE(read_certificate(files_));
    ASSERT_TRUE(ensure_self_signed(files_, {"boat.example", "192.0.2.7"}));
    EXPECT_EQ(read_file(files_.certificate).value(), first);
}

TEST_F(CertificateTest, ADamagedPairIsMadeAnew) {
    ASSERT_TRUE(ensure_self_signed(files_, {}));
    ASSERT_TRUE(write_file(files_.key, "", 0600));
    ASSERT_TRUE(ensure_self_signed(files_, {}));
    EXPECT_TRUE(read_certificate(files_));
}

TEST_F(CertificateTest, RefusesAKeyOfAnotherCertificate) {
    const CertificateFiles other{.certificate = directory_ + "/other.crt", .key = directory_ + "/other.key"};
    ASSERT_TRUE(ensure_self_signed(files_, {}));
    ASSERT_TRUE(ensure_self_signed(other, {}));
    const auto mixed = read_certificate({.certificate = files_.certificate, .key = other.key});
    ASSERT_FALSE(mixed);
    EXPECT_EQ(mixed.error().kind, ErrorKind::configuration);
    EXPECT_THAT(mixed.error().message, HasSubstr("is not the key of the certificate"));
}

}  // namespace
}  // namespace boathouse::supervisor
