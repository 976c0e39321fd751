// The keeper's hands: takes its steps with the engine's maintenance, which is opened for the first and closed when
// there is nothing to do.
//
// Used by the keeper's thread, but for interrupt().
#pragma once

#include <memory>
#include <mutex>

#include "engine/maintenance.hpp"
#include "keeper/keeper.hpp"

namespace boathouse::service {

class KeeperWorker final : public keeper::Worker {
  public:
    explicit KeeperWorker(config::Settings settings) : settings_(std::move(settings)) {}

    Result<long long> take(const keeper::Step& step) override;
    void rest() override;
    void interrupt() override;

  private:
    Status open();

    const config::Settings settings_;
    std::mutex mutex_;                                  // guards what follows against interrupt()
    std::unique_ptr<engine::Maintenance> maintenance_;  // replaced by the keeper's thread alone
    bool interrupted_ = false;
};

}  // namespace boathouse::service
