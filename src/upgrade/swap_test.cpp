#include "upgrade/swap.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "base/file.hpp"

namespace boathouse::upgrade {
namespace {

namespace fs = std::filesystem;

// Directories that hold a version and nothing else: what the names say is all that is looked at.
class Swap : public testing::Test {
  protected:
    Swap() {
        std::string pattern = fs::temp_directory_path() / "boathouse-swap-XXXXXX";
        root_ = ::mkdtemp(pattern.data());
    }
    ~Swap() override { fs::remove_all(root_); }

    void cluster(const std::string& name, int major) {
        fs::create_directory(root_ + "/" + name);
        ASSERT_TRUE(write_file(root_ + "/" + name + "/PG_VERSION", std::to_string(major) + "\n", 0600));
    }
    // "postgres.15=15 postgres=18"
    std::string state() const {
        std::vector<std::string> clusters;
        for (const auto& entry : fs::directory_iterator(root_)) {
            const auto version = read_file(entry.path().string() + "/PG_VERSION");
            clusters.push_back(entry.path().filename().string() + "=" + version->substr(0, 2));
        }
        std::sort(clusters.begin(), clusters.end());
        std::string text;
        for (const std::string& one : clusters) text += (text.empty() ? "" : " ") + one;
        return text;
    }
    std::string pgdata() const { return root_ + "/postgres"; }

    std::string root_;
};

TEST_F(Swap, PutsTheNewClusterInUseAndTheOldOneAside) {
    cluster("postgres", 15);
    cluster("postgres.new", 18);
    ASSERT_TRUE(put_in_use(pgdata()));
    EXPECT_EQ(state(), "postgres.15=15 postgres=18");
    const auto aside = version_set_aside(pgdata());
    ASSERT_TRUE(aside);
    EXPECT_EQ(*aside, 15);
}

TEST_F(Swap, OverwritesNothingThatWasSetAside) {
    cluster("postgres", 15);
    cluster("postgres.15", 15);
    cluster("postgres.new", 18);
    EXPECT_EQ(put_in_use(pgdata()).error().kind, ErrorKind::conflict);
    EXPECT_EQ(state(), "postgres.15=15 postgres.new=18 postgres=15");
}

TEST_F(Swap, GoesBackAndForth) {
    cluster("postgres", 18);
    cluster("postgres.15", 15);
    ASSERT_TRUE(go_back(pgdata(), 15));
    EXPECT_EQ(state(), "postgres.18=18 postgres=15");
    ASSERT_TRUE(go_back(pgdata(), 18));
    EXPECT_EQ(state(), "postgres.15=15 postgres=18");
}

TEST_F(Swap, CutShortBeforeTheExchangeLeavesTheOldClusterInUse) {
    cluster("postgres", 15);
    cluster("postgres.upgraded", 18);
    const auto settled = settle(pgdata());
    ASSERT_TRUE(settled);
    EXPECT_THAT(*settled, testing::HasSubstr("removed"));
    EXPECT_EQ(state(), "postgres=15");
}

TEST_F(Swap, CutShortAfterTheExchangeIsFinished) {
    cluster("postgres", 18);
    cluster("postgres.upgraded", 15);
    ASSERT_TRUE(settle(pgdata()));
    EXPECT_EQ(state(), "postgres.15=15 postgres=18");
}

TEST_F(Swap, AWayBackThatWasCutShortIsFinished) {
    cluster("postgres", 15);
    cluster("postgres.15", 18);
    ASSERT_TRUE(settle(pgdata()));
    EXPECT_EQ(state(), "postgres.18=18 postgres=15");
}

TEST_F(Swap, TwoThatWereSetAsideAreNotChosenFrom) {
    cluster("postgres", 18);
    cluster("postgres.15", 15);
    cluster("postgres.16", 16);
    EXPECT_EQ(version_set_aside(pgdata()).error().kind, ErrorKind::conflict);
}

}  // namespace
}  // namespace boathouse::upgrade
