#include "gateway/outgoing.hpp"

#include <utility>

namespace boathouse::gateway {

namespace {

// Less than this is cheaper copied than kept in a buffer of its own.
constexpr std::size_t kCopiedBytesMax = 4096;

}  // namespace

void Outgoing::push(pgwire::Buffer& out, std::size_t skip) {
    const std::size_t count = out.size() - skip;
    if (count == 0) return out.clear();
    size_ += count;
    if (!waiting_.empty() && count <= kCopiedBytesMax) {
        waiting_.back().put_bytes(out.data() + skip, count);
        return out.clear();
    }
    if (waiting_.empty()) skip_ = skip;
    if (!waiting_.empty() && skip > 0) {
        pgwire::Buffer rest;
        rest.put_bytes(out.data() + skip, count);
        out.swap(rest);
    }
    waiting_.push_back(std::move(out));
    out = pgwire::Buffer();
    if (spare_.empty()) return;
    out = std::move(spare_.back());
    spare_.pop_back();
}

Outgoing::Batch Outgoing::take() {
    size_ = 0;
    return {std::exchange(waiting_, std::vector<pgwire::Buffer>()), std::exchange(skip_, 0)};
}

void Outgoing::recycle(Batch& written) {
    for (pgwire::Buffer& buffer : written.buffers) {
        if (spare_.size() == kSpareBuffersMax) break;
        buffer.clear();
        spare_.push_back(std::move(buffer));
    }
    written = Batch();
}

}  // namespace boathouse::gateway
