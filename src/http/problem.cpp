#include "http/problem.hpp"

#include <boost/json/serialize.hpp>
#include <string_view>

#include "base/log.hpp"

namespace boathouse::http {

namespace {

using boost::beast::http::status;

constexpr unsigned kStatusOutOfSpace = 507;

struct Rule {
    std::string_view sqlstate;  // or its beginning
    status answer;
};

// The first that fits counts.
constexpr Rule kRules[] = {
    {"28P01", status::unauthorized},
    {"28", status::forbidden},
    {"42501", status::forbidden},
    {"25006", status::forbidden},
    {"53100", static_cast<status>(kStatusOutOfSpace)},
    {"53200", status::service_unavailable},
    {"53", status::too_many_requests},
    {"57P", status::service_unavailable},
    {"54000", status::payload_too_large},
    {"57014", status::gateway_timeout},
    {"08007", status::internal_server_error},
    {"08", status::service_unavailable},
    {"58", status::service_unavailable},
    {"40001", status::conflict},
    {"42P07", status::conflict},
    {"42P06", status::conflict},
    {"42P01", status::not_found},
    {"72000", status::gone},
    {"3F000", status::not_found},
    {"22P04", status::bad_request},
    {"22", status::unprocessable_entity},
    {"23", status::unprocessable_entity},
    {"42703", status::unprocessable_entity},
    {"42701", status::unprocessable_entity},
    {"XX", status::internal_server_error},
};

status status_of(std::string_view sqlstate) {
    for (const Rule& rule : kRules) {
        if (sqlstate.starts_with(rule.sqlstate)) return rule.answer;
    }
    return status::bad_request;
}

Response problem_of(status code, const boost::json::object& object) {
    Response response;
    response.status = code;
    response.content_type = "application/problem+json";
    response.body = boost::json::serialize(object) + "\n";
    if (code == status::unauthorized)
        response.headers.emplace_back("WWW-Authenticate",
                                      "Basic realm=\"boathouse\", charset=\"UTF-8\", Bearer realm=\"boathouse\"");
    if (code == status::too_many_requests || code == status::service_unavailable)
        response.headers.emplace_back("Retry-After", "1");
    return response;
}

}  // namespace

Response problem(const engine::QueryError& error, const boost::json::object& more) {
    const status code = status_of(error.sqlstate);
    if (error.sqlstate == "XX000") log_warning("http", "a request failed inside: {}", error.message);
    boost::json::object object{
        {"title", error.message}, {"status", static_cast<unsigned>(code)}, {"code", error.sqlstate}};
    if (!error.detail.empty()) object["detail"] = error.detail;
    if (!error.context.empty()) object["where"] = error.context;
    if (!error.hint.empty()) object["hint"] = error.hint;
    if (error.position > 0) object["position"] = error.position;
    for (const auto& [name, value] : more) object[name] = value;
    return problem_of(code, object);
}

Response problem(status code, const std::string& title, const std::string& hint) {
    boost::json::object object{{"title", title}, {"status", static_cast<unsigned>(code)}};
    if (!hint.empty()) object["hint"] = hint;
    return problem_of(code, object);
}

}  // namespace boathouse::http
