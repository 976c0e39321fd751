// Tells who answers a request when its client is gone, for as long as it lives.
//
// Private to src/http/. On the connection's strand. Gone is who has closed his side of the connection; bytes that come
// meanwhile are the next request, or TLS's goodbye, and say nothing yet, so that the socket is looked at again now and
// then once there are some.
#pragma once

#include <memory>

#include "http/message.hpp"
#include "http/stream.hpp"

namespace boathouse::http {

class GoneWatch {
  public:
    GoneWatch(Stream& stream, std::shared_ptr<Abandonment> abandonment);
    ~GoneWatch();
    GoneWatch(const GoneWatch&) = delete;
    GoneWatch& operator=(const GoneWatch&) = delete;

  private:
    struct Watch;
    const std::shared_ptr<Watch> watch_;  // shared with what is under way when this one ends
};

}  // namespace boathouse::http
