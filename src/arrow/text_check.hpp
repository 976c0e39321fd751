// Whether the texts of decoded Arrow data are UTF-8, which Arrow promises and nobody checks.
//
// Private to src/arrow/. Pure, any thread.
#pragma once

#include <cstdint>
#include <nanoarrow/nanoarrow.hpp>
#include <optional>
#include <string>

#include "base/error.hpp"

namespace boathouse::arrow {

// The first name that is not, with its bytes escaped; nullopt: all are.
std::optional<std::string> find_bad_name(const ArrowSchema& schema);

// The first row (from 1, with `rows_before` batches' rows before it) in which a text is not; nullopt: all are. The
// batch is one that nanoarrow has validated in full.
std::optional<Error> find_bad_text(const ArrowSchema& schema, const ArrowArray& batch, std::int64_t rows_before);

}  // namespace boathouse::arrow
