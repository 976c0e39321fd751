// A kept answer as a stream of rows, and a stream that keeps what it gives.
//
// Both belong to one session and are used as any engine::ResultStream.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "cache/newest_snapshot.hpp"
#include "cache/results.hpp"
#include "engine/session.hpp"

namespace boathouse::cache {

// Formats are those that the answer was made with: its key says so.
std::unique_ptr<engine::ResultStream> give(std::shared_ptr<const KeptAnswer> answer);

// Gives the rows of `rows` and, once they have all been given in one format, keeps them with what they need in
// privileges: for ever, or, if no snapshot came after the computation's until they were complete, for that snapshot. An
// answer that is too large, or has to wait for its client, is let go; `newest` must outlive the stream.
std::unique_ptr<engine::ResultStream> record(std::unique_ptr<engine::ResultStream> rows,
                                             std::unique_ptr<Results::Computation> computation, access::Needs needs,
                                             NewestSnapshot& newest);

}  // namespace boathouse::cache
