#include "http/router.hpp"

#include <spdlog/fmt/fmt.h>

namespace boathouse::http {

namespace beast_http = boost::beast::http;

bool Router::matches(const Route& route, const Request& request) {
    if (route.private_only && !request.is_private) return false;
    return route.path.size() > 1 && route.path.ends_with('/') ? request.path.starts_with(route.path)
                                                              : request.path == route.path;
}

const Route* Router::find(const Request& request) const {
    const auto method = request.method == beast_http::verb::head ? beast_http::verb::get : request.method;
    for (const auto& route : routes_) {
        if (route.method == method && matches(route, request)) return &route;
    }
    return nullptr;
}

Response Router::refuse(const Request& request) const {
    std::string allowed;
    std::string known;
    for (const auto& route : routes_) {
        if (matches(route, request)) {
            const std::string name(beast_http::to_string(route.method));
            allowed += (allowed.empty() ? "" : ", ") + (name == "GET" ? "GET, HEAD" : name);
        }
        if (!route.private_only) known += (known.empty() ? "" : ", ") + route.path;
    }
    if (allowed.empty()) {
        return json_error(beast_http::status::not_found, fmt::format("there is nothing at {}", request.path),
                          "Known here: " + known);
    }
    Response response =
        json_error(beast_http::status::method_not_allowed,
                   fmt::format("{} does not take {}", request.path, std::string(beast_http::to_string(request.method))),
                   "Use " + allowed + ".");
    response.headers.emplace_back("Allow", allowed);
    return response;
}

}  // namespace boathouse::http
