#include "base/machine.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace boathouse {
namespace {

// A machine laid out in a directory: 8 GiB, and whatever limits a test writes.
class Machine : public ::testing::Test {
  protected:
    void SetUp() override {
        char name[] = "/tmp/boathouse-machine-XXXXXX";
        root_ = ::mkdtemp(name);
        write("/proc/meminfo", "MemTotal:        8388608 kB\nMemFree: 1 kB\n");
    }
    void TearDown() override { std::filesystem::remove_all(root_); }
    void write(const std::string& path, const std::string& text) {
        std::filesystem::create_directories(std::filesystem::path(root_ + path).parent_path());
        std::ofstream(root_ + path) << text;
    }
    std::string root_;
};

TEST_F(Machine, WithoutGroupsIsTheMachine) {
    EXPECT_EQ(usable_memory_bytes(root_), 8LL << 30);
}

TEST_F(Machine, NothingReadableIsNoLimit) {
    EXPECT_EQ(usable_memory_bytes(root_ + "/nowhere"), 0);
}

TEST_F(Machine, Version2TakesTheLeastOfAllGroupsAbove) {
    write("/proc/self/cgroup", "0::/a/b\n");
    write("/sys/fs/cgroup/a/b/memory.max", "max\n");
    write("/sys/fs/cgroup/a/memory.max", "1073741824\n");
    EXPECT_EQ(usable_memory_bytes(root_), 1LL << 30);
}

TEST_F(Machine, Version2InAContainerReadsTheMountsTop) {
    write("/proc/self/cgroup", "0::/../../host/path\n");
    write("/sys/fs/cgroup/memory.max", "536870912\n");
    EXPECT_EQ(usable_memory_bytes(root_), 512LL << 20);
}

TEST_F(Machine, Version1ReadsTheMemoryController) {
    write("/proc/self/cgroup", "9:cpuset:/x\n4:memory:/box\n");
    write("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    write("/sys/fs/cgroup/memory/box/memory.limit_in_bytes", "2147483648\n");
    EXPECT_EQ(usable_memory_bytes(root_), 2LL << 30);
}

TEST_F(Machine, HalfAProcessorRoundsUpToOne) {
    write("/proc/self/cgroup", "0::/\n");
    write("/sys/fs/cgroup/cpu.max", "50000 100000\n");
    EXPECT_EQ(usable_processors(root_), 1);
}

TEST_F(Machine, QuotaOfVersion1Counts) {
    write("/proc/self/cgroup", "3:cpu,cpuacct:/\n");
    write("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "100000\n");
    write("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    EXPECT_EQ(usable_processors(root_), 1);
}

}  // namespace
}  // namespace boathouse
