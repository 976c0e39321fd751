// Where the engine asks whether a client's statement may run.
//
// One Gate a session; the session's own thread calls it, between binding and running, each time a statement is run:
// prepared statements and kept answers too, so that what is revoked is revoked at the next statement.
#pragma once

#include <chrono>
#include <optional>

#include "access/needs.hpp"

namespace boathouse::access {

class Gate {
  public:
    virtual ~Gate() = default;

    // A statement has arrived that will be checked: what it costs to ask can begin now, beside the binding.
    virtual void expect() = 0;
    // The statement that was expected is over, checked or not.
    virtual void forget() = 0;
    // nullopt: all that is needed is there. May block on the catalog.
    virtual std::optional<Refusal> check(const Needs& needs) = 0;
    // What it has cost a statement that it was checked, from its announcement to the verdict, binding left out.
    virtual void count(std::chrono::nanoseconds cost) = 0;
};

}  // namespace boathouse::access
