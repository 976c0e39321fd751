#include "supervisor/memory.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace boathouse::supervisor {
namespace {

class MemoryTest : public testing::Test {
  protected:
    void SetUp() override {
        std::string name = (std::filesystem::temp_directory_path() / "boathouse-memory-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        root_ = name;
        write("/proc/meminfo", "MemTotal:        8388608 kB\nMemFree:         123 kB\n");
    }
    void TearDown() override { std::filesystem::remove_all(root_); }
    void write(const std::string& path, const std::string& text) {
        std::filesystem::create_directories(std::filesystem::path(root_ + path).parent_path());
        std::ofstream(root_ + path) << text;
    }
    std::string root_;
};

TEST_F(MemoryTest, IsTheMachinesWithoutALimit) {
    EXPECT_EQ(memory_mb(root_), 8192);
    write("/sys/fs/cgroup/memory.max", "max\n");
    EXPECT_EQ(memory_mb(root_), 8192);
    write("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    EXPECT_EQ(memory_mb(root_), 8192);
}

TEST_F(MemoryTest, IsTheContainersLimit) {
    write("/sys/fs/cgroup/memory.max", "536870912\n");
    EXPECT_EQ(memory_mb(root_), 512);
}

TEST_F(MemoryTest, KnowsTheOlderKindOfLimit) {
    write("/sys/fs/cgroup/memory/memory.limit_in_bytes", "1073741824\n");
    EXPECT_EQ(memory_mb(root_), 1024);
}

}  // namespace
}  // namespace boathouse::supervisor
