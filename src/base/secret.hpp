// A string that does not let itself be printed: passwords, keys, tokens.
//
// It has no stream operator and no formatter, so a log line cannot hold it by accident; reveal() names each place that
// needs the bytes. A plain value otherwise: copyable, owned by whoever holds it.
#pragma once

#include <string>
#include <utility>

namespace boathouse {

class Secret {
  public:
    Secret() = default;
    explicit Secret(std::string bytes) : bytes_(std::move(bytes)) {}

    const std::string& reveal() const { return bytes_; }
    bool empty() const { return bytes_.empty(); }
    bool operator==(const Secret&) const = default;

  private:
    std::string bytes_;
};

}  // namespace boathouse
