// COPY's options that name columns, once the columns are known. Private to src/engine/; pure functions.
#pragma once

#include <string>
#include <vector>

#include "engine/copy_decoders.hpp"
#include "engine/session.hpp"

namespace boathouse::engine {

std::vector<std::string> columns_of(const std::vector<CopyColumn>& columns);

// The format with a flag each column. Fails with 42P10 for a name that is none of the columns.
Outcome<pgwire::CopyFormat> resolve_copy_options(const CopyOptions& options, const std::vector<std::string>& columns);

}  // namespace boathouse::engine
