// Which handler answers which path: a table, filled before the server starts and never changed after.
//
// Any thread may ask it. An unknown path is answered 404, a known one asked in a wrong way 405 with Allow. HEAD goes
// wherever GET goes; the server leaves the body out.
#pragma once

#include <string>
#include <vector>

#include "http/message.hpp"

namespace boathouse::http {

struct Route {
    std::string path;  // "/readyz"; with '/' at its end: everything below
    boost::beast::http::verb method = boost::beast::http::verb::get;
    Handler handler{};
    LateHandler late_handler{};  // instead of `handler`: the client is let in by the gatekeeper first
    bool is_blocking = true;     // false: answers at once, so it may run on a network thread
    bool private_only = false;   // answered on the private socket alone, 404 elsewhere
};

class Router {
  public:
    void add(Route route) { routes_.push_back(std::move(route)); }

    // The route that answers `request`, or nullptr: then refuse() says why not.
    const Route* find(const Request& request) const;
    Response refuse(const Request& request) const;

  private:
    static bool matches(const Route& route, const Request& request);

    std::vector<Route> routes_;
};

}  // namespace boathouse::http
