// What a box's HTTP door says of it: /readyz, in words and as it stands. Blocks for some seconds at most.
#pragma once

#include <boost/json/value.hpp>
#include <string>

#include "cli/http_get.hpp"

namespace boathouse::cli {

struct Readiness {
    bool answers = false;  // the door, whatever it says
    bool ready = false;
    std::string text{};                 // "a query on the lake has succeeded", or the reasons why not
    std::string hint{};                 // of the first reason; may be empty
    boost::json::value json = nullptr;  // the door's own answer; null without one
};

Readiness ask_readiness(const HttpAddress& address);

// Where this machine reaches a door that listens on `listen`.
std::string reachable_host(const std::string& listen);

}  // namespace boathouse::cli
