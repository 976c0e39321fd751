#include "supervisor/postgres_installation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

#include "base/file.hpp"

namespace boathouse::supervisor {
namespace {

using testing::HasSubstr;

// Directories with a `postgres` that prints a version, as a machine with several PostgreSQLs has them.
class PostgresInstallationTest : public testing::Test {
  protected:
    void SetUp() override {
        std::string name = (std::filesystem::temp_directory_path() / "boathouse-pg-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        root_ = name;
    }
    void TearDown() override { std::filesystem::remove_all(root_); }

    std::string install(const std::string& directory, const std::string& version) {
        const std::string bin = root_ + "/" + directory;
        std::filesystem::create_directories(bin);
        EXPECT_TRUE(write_file(bin + "/postgres", "#!/bin/sh\necho 'postgres (PostgreSQL) " + version + "'\n", 0755));
        EXPECT_TRUE(write_file(bin + "/initdb", "#!/bin/sh\n", 0755));
        return bin;
    }
    PostgresSearch search() const { return {.pg_bin = "", .path = "", .debian_root = root_ + "/debian", .major = {}}; }

    std::string root_;
};

TEST_F(PostgresInstallationTest, ReadsVersions) {
    EXPECT_EQ(parse_postgres_version("", "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)")->version, "15.18");
    EXPECT_EQ(parse_postgres_version("", "postgres (PostgreSQL) 18beta1")->major, 18);
    EXPECT_FALSE(parse_postgres_version("", "postgres (EnterpriseDB) 15"));
    EXPECT_FALSE(parse_postgres_version("", ""));
}

TEST_F(PostgresInstallationTest, TakesTheNewest) {
    install("debian/14/bin", "14.9");
    install("debian/16/bin", "16.1");
    auto wanted = search();
    wanted.path = install("path", "15.2");
    EXPECT_EQ(find_postgres(wanted)->version, "16.1");
}

TEST_F(PostgresInstallationTest, TakesTheClustersMajorVersion) {
    install("debian/15/bin", "15.2");
    install("debian/16/bin", "16.1");
    auto wanted = search();
    wanted.major = 15;
    EXPECT_EQ(find_postgres(wanted)->version, "15.2");
    wanted.major = 14;
    const auto missing = find_postgres(wanted);
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().kind, ErrorKind::configuration);
    EXPECT_THAT(missing.error().message, HasSubstr("made by PostgreSQL 14"));
    EXPECT_THAT(missing.error().message, HasSubstr("15.2 in "));
    EXPECT_THAT(missing.error().hint, HasSubstr("--pg-bin"));
}

TEST_F(PostgresInstallationTest, LooksNowhereElseThanInPgBin) {
    install("debian/16/bin", "16.1");
    auto wanted = search();
    wanted.pg_bin = install("own", "15.2");
    EXPECT_EQ(find_postgres(wanted)->bin_dir, wanted.pg_bin);
    wanted.pg_bin = root_ + "/nowhere";
    const auto missing = find_postgres(wanted);
    ASSERT_FALSE(missing);
    EXPECT_THAT(missing.error().message, HasSubstr("in --pg-bin " + root_ + "/nowhere"));
}

TEST_F(PostgresInstallationTest, AsksPgConfig) {
    const std::string bin = install("hidden", "15.2");
    const std::string path = root_ + "/path";
    std::filesystem::create_directories(path);
    ASSERT_TRUE(write_file(path + "/pg_config", "#!/bin/sh\necho " + bin + "\n", 0755));
    auto wanted = search();
    wanted.path = path;
    EXPECT_EQ(find_postgres(wanted)->version, "15.2");
}

TEST_F(PostgresInstallationTest, RefusesWhatIsTooOld) {
    install("debian/13/bin", "13.4");
    const auto found = find_postgres(search());
    ASSERT_FALSE(found);
    EXPECT_THAT(found.error().message, HasSubstr("14 or newer is needed; found 13.4"));
}

TEST_F(PostgresInstallationTest, KnowsTheClustersVersion) {
    EXPECT_EQ(cluster_major(root_ + "/none").value(), std::nullopt);
    ASSERT_TRUE(write_file(root_ + "/PG_VERSION", "15\n", 0600));
    EXPECT_EQ(cluster_major(root_).value(), 15);
    ASSERT_TRUE(write_file(root_ + "/PG_VERSION", "", 0600));
    EXPECT_EQ(cluster_major(root_).error().kind, ErrorKind::corrupt);
}

}  // namespace
}  // namespace boathouse::supervisor
