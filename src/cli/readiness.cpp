#include "cli/readiness.hpp"

#include <boost/json.hpp>

namespace boathouse::cli {
namespace {

std::string text_of(const boost::json::value& reason, const char* key) {
    const auto* value = reason.is_object() ? reason.as_object().if_contains(key) : nullptr;
    return value != nullptr && value->is_string() ? std::string(value->as_string()) : "";
}

// {"ready": false, "reasons": [{"check": …, "message": …, "hint": …}]}
boost::json::array reasons_of(const boost::json::value& json) {
    const auto* reasons = json.is_object() ? json.as_object().if_contains("reasons") : nullptr;
    return reasons != nullptr && reasons->is_array() ? reasons->as_array() : boost::json::array();
}

}  // namespace

Readiness ask_readiness(const HttpAddress& address) {
    const auto answer = http_get(address, "/readyz");
    Readiness readiness;
    if (!answer) {
        readiness.text = answer.error().message;
        return readiness;
    }
    boost::system::error_code malformed;
    readiness.json = boost::json::parse(answer->body, malformed);
    readiness.answers = true;
    readiness.ready = answer->status == 200;
    for (const auto& reason : reasons_of(readiness.json)) {
        const std::string message = text_of(reason, "message");
        if (message.empty()) continue;
        if (readiness.text.empty()) readiness.hint = text_of(reason, "hint");
        readiness.text += (readiness.text.empty() ? "" : "; ") + message;
    }
    if (readiness.text.empty()) {
        readiness.text =
            readiness.ready ? "a query on the lake has succeeded" : "HTTP " + std::to_string(answer->status);
    }
    return readiness;
}

std::string reachable_host(const std::string& listen) {
    if (listen == "0.0.0.0") return "127.0.0.1";
    return listen == "::" ? "::1" : listen;
}

}  // namespace boathouse::cli
