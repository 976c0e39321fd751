#include "http/message.hpp"

#include <boost/json.hpp>

namespace boathouse::http {
namespace {

using boost::beast::http::status;

status status_of(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::configuration:
            return status::internal_server_error;
        case ErrorKind::unavailable:
            return status::service_unavailable;
        case ErrorKind::permission:
            return status::forbidden;
        case ErrorKind::not_found:
            return status::not_found;
        case ErrorKind::conflict:
            return status::conflict;
        case ErrorKind::corrupt:
            return status::internal_server_error;
        case ErrorKind::limit:
            return status::service_unavailable;
        case ErrorKind::internal:
            return status::internal_server_error;
    }
    return status::internal_server_error;
}

}  // namespace

void Abandonment::listen(std::function<void()> tell) {
    const std::lock_guard lock(mutex_);
    tell_ = std::move(tell);
    if (happened_) tell_();
}

void Abandonment::stop_listening() {
    const std::lock_guard lock(mutex_);
    tell_ = nullptr;
}

void Abandonment::happen() {
    const std::lock_guard lock(mutex_);
    happened_ = true;
    if (tell_) tell_();
}

Response json_error(status status, const std::string& message, const std::string& hint) {
    boost::json::object object{{"error", message}};
    if (!hint.empty()) object["hint"] = hint;
    Response response;
    response.status = status;
    response.body = boost::json::serialize(object) + "\n";
    return response;
}

Response json_error(const Error& error) {
    return json_error(status_of(error.kind), error.message, error.hint);
}

}  // namespace boathouse::http
