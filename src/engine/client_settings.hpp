// A client's settings as SQL functions see them; the gateway implements it.
//
// DuckDB's threads call both functions while the client's statement runs.
#pragma once

#include <optional>
#include <string>

#include "engine/query_error.hpp"

namespace boathouse::engine {

class ClientSettings {
  public:
    virtual ~ClientSettings() = default;
    // nullopt: no such setting.
    virtual std::optional<std::string> current(const std::string& name) const = 0;
    // The value as it will be kept; it takes effect when the statement has succeeded. Errors: 42704, 22023.
    virtual Outcome<std::string> set(const std::string& name, const std::string& value, bool local) = 0;
};

}  // namespace boathouse::engine
