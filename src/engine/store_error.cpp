#include "engine/store_error.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace boathouse::engine {
namespace {

// Everything a message may name.
struct Place {
    std::string data_path;
    std::string bucket;
    std::string endpoint;  // "the endpoint minio:9000", "Amazon S3"
    std::string region;
    std::string key;     // "…WXYZ", or "" with the credential chain
    std::string action;  // "write"
};

// The text of <name> in a small XML document without attributes, as S3's errors are; "" if absent.
std::string element(const std::string& xml, const std::string& name) {
    const auto start = xml.find("<" + name + ">");
    if (start == std::string::npos) return "";
    const auto from = start + name.size() + 2;
    const auto end = xml.find("</" + name + ">", from);
    return end == std::string::npos ? "" : xml.substr(from, end - from);
}

// S3's code: from the body, or where only the client's words came through, the line "Code: message" in them.
std::string code_of(const StoreReply& reply) {
    std::string code = element(reply.body, "Code");
    if (!code.empty()) return code;
    static constexpr std::array kKnown = {"NoSuchBucket",
                                          "AccessDenied",
                                          "InvalidAccessKeyId",
                                          "SignatureDoesNotMatch",
                                          "AuthorizationHeaderMalformed",
                                          "PermanentRedirect",
                                          "ExpiredToken",
                                          "InvalidToken",
                                          "RequestTimeTooSkewed",
                                          "SlowDown"};
    const auto* const found = std::find_if(kKnown.begin(), kKnown.end(), [&](const char* known) {
        return reply.text.find(std::string(known) + ":") != std::string::npos;
    });
    return found == kKnown.end() ? "" : *found;
}

Error wrong_region(const Place& place, const std::string& expected) {
    return {
        ErrorKind::configuration,
        fmt::format("wrong region for the bucket \"{}\" at {}: AWS_REGION is \"{}\"{}", place.bucket, place.endpoint,
                    place.region, expected.empty() ? "" : ", the bucket is in \"" + expected + "\""),
        expected.empty() ? "Set AWS_REGION to the bucket's region (for a store other than Amazon S3, to the region "
                           "that it was configured with) and start again."
                         : "Set AWS_REGION=" + expected + " and start again.",
        ""};
}

std::string given_key(const Place& place) {
    return place.key.empty() ? "the key found by the AWS credential chain" : "the access key id " + place.key;
}

// Codes that a change of the settings or of the bucket mends; nullptr text: not one of these.
bool explain_code(const std::string& code, const StoreReply& reply, const Place& place, Error& error) {
    const auto say = [&error](ErrorKind kind, std::string message, std::string hint) {
        error = Error{kind, std::move(message), std::move(hint), ""};
        return true;
    };
    if (code == "NoSuchBucket") {
        return say(
            ErrorKind::configuration,
            fmt::format("the bucket \"{}\" does not exist at {}", place.bucket, place.endpoint),
            "Create the bucket, or correct S3_BUCKET_URL (or DATA_PATH) and S3_ENDPOINT. Boathouse does not create "
            "buckets.");
    }
    if (code == "AccessDenied" || code == "AllAccessDisabled" || code == "AccountProblem") {
        return say(ErrorKind::permission,
                   fmt::format("{} denies the box to {} {} ({})", place.endpoint, place.action, place.data_path, code),
                   fmt::format("Give {} the permissions s3:GetObject, s3:PutObject, s3:DeleteObject and "
                               "s3:AbortMultipartUpload on {}* and s3:ListBucket on the bucket \"{}\".",
                               given_key(place), place.data_path, place.bucket));
    }
    if (code == "InvalidAccessKeyId") {
        return say(
            ErrorKind::configuration,
            fmt::format("{} does not know {} (InvalidAccessKeyId)", place.endpoint, given_key(place)),
            "Correct AWS_ACCESS_KEY_ID; keys of one store or account are unknown to another, so check S3_ENDPOINT "
            "too.");
    }
    if (code == "SignatureDoesNotMatch") {
        return say(ErrorKind::configuration,
                   fmt::format("{} knows {}, but the secret does not belong to it (SignatureDoesNotMatch)",
                               place.endpoint, given_key(place)),
                   "Correct AWS_SECRET_ACCESS_KEY; look for a cut-off end, a space, or quotes that became part of it.");
    }
    if (code == "ExpiredToken" || code == "InvalidToken" || code == "TokenRefreshRequired") {
        return say(
            ErrorKind::configuration, fmt::format("the session token is not valid at {} ({})", place.endpoint, code),
            "Temporary keys need all three of AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, and "
            "end: get new ones, or leave all three unset so that the credential chain renews them.");
    }
    if (code == "AuthorizationHeaderMalformed" || code == "PermanentRedirect" || code == "TemporaryRedirect" ||
        code == "IllegalLocationConstraintException") {
        error = wrong_region(place, element(reply.body, "Region"));
        return true;
    }
    if (code == "RequestTimeTooSkewed") {
        return say(ErrorKind::configuration,
                   fmt::format("this machine's clock differs too much from that of {}", place.endpoint),
                   "Set the clock (NTP); stores refuse requests whose time is more than 15 minutes off.");
    }
    if (code == "XMinioStorageFull" || code == "QuotaExceeded" || reply.status == 507) {
        return say(ErrorKind::limit, fmt::format("{} is full: it takes no more data ({})", place.endpoint, code),
                   "Free or add space at the store, or lift the bucket's quota.");
    }
    return false;
}

// A reply that names no code, or one that says nothing about the settings.
Error explain_status(const std::string& code, const StoreReply& reply, const Place& place) {
    const std::string answer =
        code.empty() ? fmt::format("HTTP {}", reply.status) : fmt::format("{}, HTTP {}", code, reply.status);
    if (reply.status == 301 || reply.status == 307) return wrong_region(place, "");
    if (reply.status == 401 || reply.status == 403) {
        return {ErrorKind::permission,
                fmt::format("{} denies the box to {} {} ({})", place.endpoint, place.action, place.data_path, answer),
                fmt::format("Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and what {} may do in the bucket \"{}\".",
                            given_key(place), place.bucket),
                ""};
    }
    if (reply.status == 404) {
        return {ErrorKind::configuration,
                fmt::format("the bucket \"{}\" was not found at {} ({})", place.bucket, place.endpoint, answer),
                "Check that the bucket exists, S3_ENDPOINT, and S3_URL_STYLE: most stores other than Amazon S3 need "
                "S3_URL_STYLE=path.",
                ""};
    }
    if (reply.status == 400) {
        return {ErrorKind::configuration,
                fmt::format("{} does not understand the request to {} {} ({})", place.endpoint, place.action,
                            place.data_path, answer),
                fmt::format("Check AWS_REGION (now \"{}\"), S3_USE_SSL and S3_URL_STYLE.", place.region), ""};
    }
    return {ErrorKind::unavailable,
            fmt::format("{} could not {} {} ({})", place.endpoint, place.action, place.data_path, answer),
            "The store answers, but not as it should: look at its own log.", ""};
}

bool contains_word(std::string text, const char* word) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text.find(word) != std::string::npos;
}

// No reply: the words are curl's (https://curl.se/libcurl/c/libcurl-errors.html), as httpfs passes them on.
Error explain_transport(const StoreReply& reply, const Place& place) {
    if (contains_word(reply.text, "resolve")) {
        return {
            ErrorKind::unavailable, fmt::format("the host name of {} cannot be resolved", place.endpoint),
            "Correct S3_ENDPOINT (host:port) or AWS_REGION, and check this machine's DNS. With S3_URL_STYLE=vhost the "
            "name asked for is <bucket>.<endpoint>; stores without such names need S3_URL_STYLE=path.",
            ""};
    }
    if (contains_word(reply.text, "certificate") || contains_word(reply.text, "peer")) {
        return {
            ErrorKind::configuration, fmt::format("the TLS certificate of {} is not trusted", place.endpoint),
            "Install the certificate's authority on this machine (Debian: update-ca-certificates), or correct the host "
            "name in S3_ENDPOINT to one that the certificate holds.",
            ""};
    }
    if (contains_word(reply.text, "ssl") || contains_word(reply.text, "tls")) {
        return {ErrorKind::configuration,
                fmt::format("{} does not speak TLS, or not a version that can be agreed on", place.endpoint),
                "If the store speaks plain HTTP, set S3_USE_SSL=false; else check the port in S3_ENDPOINT.", ""};
    }
    if (contains_word(reply.text, "timed out") || contains_word(reply.text, "timeout")) {
        return {ErrorKind::unavailable,
                fmt::format("{} does not answer: no reply within the time limit", place.endpoint),
                "Check S3_ENDPOINT and whether a firewall, security group or proxy stands between.", ""};
    }
    return {
        ErrorKind::unavailable, fmt::format("{} cannot be reached", place.endpoint),
        "Check that the store is running and that S3_ENDPOINT (host:port) is right as seen from this machine; inside a "
        "container, localhost is the container itself.",
        ""};
}

}  // namespace

std::string bucket_of(const std::string& data_path) {
    const auto scheme = data_path.find("://");
    if (scheme == std::string::npos) return "";
    const auto from = scheme + 3;
    return data_path.substr(from, data_path.find('/', from) - from);
}

Error explain_store_error(const StoreReply& reply, const config::Settings& settings, const std::string& data_path,
                          const std::string& action) {
    const std::string& key = settings.aws_access_key_id.reveal();
    const Place place{data_path,
                      bucket_of(data_path),
                      settings.s3_endpoint.empty() ? "Amazon S3" : "the store at " + settings.s3_endpoint,
                      settings.aws_region,
                      key.empty() ? "" : "…" + key.substr(key.size() - std::min<std::size_t>(4, key.size() / 2)),
                      action};
    Error error;
    const std::string code = code_of(reply);
    if (!explain_code(code, reply, place, error)) {
        error = reply.status > 0 ? explain_status(code, reply, place) : explain_transport(reply, place);
    }
    error.detail = reply.text;
    return error;
}

}  // namespace boathouse::engine
