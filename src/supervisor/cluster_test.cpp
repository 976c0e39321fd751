#include "supervisor/cluster.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "base/file.hpp"

namespace boathouse::supervisor {
namespace {

namespace fs = std::filesystem;

class ClusterTest : public testing::Test {
  protected:
    void SetUp() override {
        std::string name = (fs::temp_directory_path() / "boathouse-cluster-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        root_ = name;
        pgdata_ = root_ + "/postgres";
        run_ = root_ + "/run";
        fs::create_directories(run_);
    }
    void TearDown() override { fs::remove_all(root_); }
    void put(const std::string& path, const std::string& text) {
        fs::create_directories(fs::path(path).parent_path());
        ASSERT_TRUE(write_file(path, text, 0600));
    }
    std::string root_, pgdata_, run_;
};

TEST_F(ClusterTest, ReadsThePostmastersOwnWord) {
    put(pgdata_ + "/postmaster.pid", "4711\n/data\n1700000000\n5432\n/run\n127.0.0.1\n 1 2\nready   \n");
    EXPECT_EQ(postmaster_status(pgdata_, 4711), "ready");
    EXPECT_EQ(postmaster_status(pgdata_, 4712), "") << "another process's file was believed";
    put(pgdata_ + "/postmaster.pid", "4711\n/data\n");
    EXPECT_EQ(postmaster_status(pgdata_, 4711), "");
    EXPECT_EQ(postmaster_status(root_ + "/none", 4711), "");
}

TEST_F(ClusterTest, ClearsWhatAKilledBoxLeavesAndNothingElse) {
    put(pgdata_ + ".new/base/1/PG_VERSION", "15\n");
    put(pgdata_ + "/PG_VERSION", "15\n");
    put(pgdata_ + "/postmaster.pid", "1\n");
    put(run_ + "/.s.PGSQL.5432.lock", "1\n");
    put(run_ + "/state.json", "{}");
    ASSERT_TRUE(clear_remains(pgdata_, run_));
    EXPECT_FALSE(fs::exists(pgdata_ + ".new"));
    EXPECT_FALSE(fs::exists(pgdata_ + "/postmaster.pid"));
    EXPECT_FALSE(fs::exists(run_ + "/.s.PGSQL.5432.lock"));
    EXPECT_TRUE(fs::exists(pgdata_ + "/PG_VERSION"));
    EXPECT_TRUE(fs::exists(run_ + "/state.json"));
    EXPECT_TRUE(clear_remains(pgdata_, run_)) << "nothing to clear is no error";
}

TEST_F(ClusterTest, ANewClusterHasItsNameOnlyOnceItIsWhole) {
    put(pgdata_ + ".new/postgresql.conf", "port = 1\n");
    ASSERT_TRUE(adopt_new_cluster(pgdata_));
    EXPECT_FALSE(fs::exists(pgdata_ + ".new"));
    const std::string settings = read_file(pgdata_ + "/postgresql.conf").value();
    EXPECT_LT(settings.find("include 'boathouse.conf'"), settings.find("include_if_exists 'local.conf'"));
    EXPECT_FALSE(adopt_new_cluster(pgdata_)) << "there was no new cluster";
}

}  // namespace
}  // namespace boathouse::supervisor
