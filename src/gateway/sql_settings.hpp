// The session's settings as current_setting() and set_config() reach them, on DuckDB's threads.
//
// What set_config() sets is kept here until its statement has succeeded; then the session takes and applies it. Errors
// are those of SET.
#pragma once

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "engine/client_settings.hpp"
#include "gateway/session_settings.hpp"

namespace boathouse::gateway {

class SqlSettings final : public engine::ClientSettings {
  public:
    explicit SqlSettings(const SessionSettings& settings) : settings_(settings) {}

    std::optional<std::string> current(const std::string& name) const override { return settings_.value(name); }
    engine::Outcome<std::string> set(const std::string& name, const std::string& value, bool local) override;

    struct Wish {
        SettingChange change;
        bool local = false;
    };
    // What was set since the last call, in order.
    std::vector<Wish> take();

  private:
    const SessionSettings& settings_;
    std::mutex mutex_;
    std::vector<Wish> wishes_;  // under mutex_
};

}  // namespace boathouse::gateway
