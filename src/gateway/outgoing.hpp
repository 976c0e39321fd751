// A connection's answers on their way to the socket: whole buffers that go round between the session that fills them
// and the network that empties them, so that a result of millions of rows is neither copied nor allocated again.
//
// Belongs to one connection and is used under its lock. What waits is bounded by the connection, which stops the
// session's job; what is spare by kSpareBuffersMax. Nothing fails but memory.
#pragma once

#include <vector>

#include "pgwire/buffer.hpp"

namespace boathouse::gateway {

class Outgoing {
  public:
    static constexpr std::size_t kSpareBuffersMax = 4;

    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }

    // Takes over what is in `out` behind its first `skip` bytes, and leaves an empty buffer there.
    void push(pgwire::Buffer& out, std::size_t skip = 0);

    // What one write is to send: buffers, and how much of the first has gone already.
    struct Batch {
        std::vector<pgwire::Buffer> buffers;
        std::size_t skip = 0;
        bool empty() const { return buffers.empty(); }
    };
    Batch take();
    // The batch has been written: its buffers are for push() to give out again.
    void recycle(Batch& written);
    // Gives their memory back.
    void drop_spare() { std::vector<pgwire::Buffer>().swap(spare_); }

  private:
    std::vector<pgwire::Buffer> waiting_;
    std::size_t skip_ = 0;  // of the first
    std::size_t size_ = 0;  // bytes that wait
    std::vector<pgwire::Buffer> spare_;
};

}  // namespace boathouse::gateway
