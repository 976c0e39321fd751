// One HTTP request to a box on the same machine or network, for commands that ask it how it is.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/error.hpp"

namespace boathouse::cli {

struct HttpAddress {
    std::string host;
    std::int64_t port = 0;
};

struct HttpAnswer {
    unsigned status = 0;
    std::string body;  // at most 1 MB
};

// Blocks up to `timeout`. Errors: unavailable, with the operating system's reason.
Result<HttpAnswer> http_get(const HttpAddress& address, const std::string& path,
                            std::chrono::milliseconds timeout = std::chrono::seconds(5));

}  // namespace boathouse::cli
