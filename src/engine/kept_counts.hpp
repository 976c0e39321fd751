// What the metrics tell of kept tables (kept_tables.hpp).
#pragma once

#include <cstddef>
#include <cstdint>

namespace boathouse::engine {

struct KeptCounts {
    std::uint64_t reads = 0;  // statements that were answered from kept tables
    std::uint64_t loads = 0;  // tables that were read from the lake to be kept
    std::size_t tables = 0;   // kept now
    std::size_t bytes = 0;    // of memory, also of those that wait to be read anew
};

}  // namespace boathouse::engine
