// Reads an Arrow IPC stream that lies in memory as a whole
// (https://arrow.apache.org/docs/format/Columnar.html#ipc-streaming-format).
//
// nanoarrow decodes; this folder walks from message to message, so that a fault is told with the message and byte where
// it lies, bounds what a compressed body may become, and checks what those who read the batches take for granted:
// lengths, offsets and indices that stay inside their buffers, and texts of UTF-8. A stream must have its end marker,
// for a connection that was cut between two batches looks the same otherwise. Pure, any thread; memory is that of the
// batches, which do not refer to the bytes. What fails: corrupt (the bytes), limit (too much of them).
#pragma once

#include <cstdint>
#include <nanoarrow/nanoarrow.hpp>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace boathouse::arrow {

struct ReadLimits {
    std::int64_t bytes_max = 0;  // of all buffers once they are decompressed
    std::int64_t rows_max = 0;
};

struct Batches {
    nanoarrow::UniqueSchema schema;  // a struct of the columns
    std::vector<nanoarrow::UniqueArray> batches{};
};

Result<Batches> read_stream(std::string_view bytes, const ReadLimits& limits);

// The schema alone.
Result<nanoarrow::UniqueSchema> read_schema(std::string_view bytes);

}  // namespace boathouse::arrow
