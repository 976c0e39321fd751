#include "backup/s3_client.hpp"

#include <curl/curl.h>
#include <openssl/evp.h>

#include <array>
#include <boost/property_tree/ptree.hpp>
#include <boost/property_tree/xml_parser.hpp>
#include <chrono>
#include <sstream>
#include <thread>

#include "base/log.hpp"

namespace boathouse::backup {
namespace {

namespace ptree = boost::property_tree;

constexpr std::size_t kReplyBytesMax = std::size_t{64} * 1024 * 1024;
constexpr long kConnectSeconds = 10;
constexpr long kSilentSeconds = 60;  // without a byte
constexpr std::chrono::milliseconds kPause{200};

constexpr long kOk = 200;
constexpr long kForbidden = 403;
constexpr long kNotFound = 404;
constexpr long kRangeBeyondEnd = 416;
constexpr long kTooMany = 429;
constexpr long kServerErrors = 500;
constexpr long kFull = 507;

// RFC 3986's unreserved characters stay, and '/' in a path (the rules that signatures are made by).
std::string encoded(std::string_view text, bool is_path) {
    std::string out;
    for (const char letter : text) {
        const bool is_plain = (letter >= 'A' && letter <= 'Z') || (letter >= 'a' && letter <= 'z') ||
                              (letter >= '0' && letter <= '9') || letter == '-' || letter == '_' || letter == '.' ||
                              letter == '~' || (is_path && letter == '/');
        if (is_plain) {
            out += letter;
        } else {
            out += fmt::format("%{:02X}", static_cast<unsigned char>(letter));
        }
    }
    return out;
}

std::string sha256_of(std::string_view bytes) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr);
    std::string text;
    for (unsigned int i = 0; i < size; ++i) text += fmt::format("{:02x}", digest.at(i));
    return text;
}

std::size_t take_body(char* bytes, std::size_t size, std::size_t count, void* into) {
    auto& body = *static_cast<std::string*>(into);
    if (body.size() + size * count > kReplyBytesMax) return 0;
    body.append(bytes, size * count);
    return size * count;
}

bool passes(long status) {
    return status == kTooMany || (status >= kServerErrors && status != kFull);
}

Result<ptree::ptree> parse_xml(const std::string& text) {
    std::istringstream stream(text);
    ptree::ptree tree;
    try {
        ptree::read_xml(stream, tree);
    } catch (const ptree::xml_parser_error&) {
        return Error{ErrorKind::unavailable, "what answers at the S3 endpoint is no S3 server: it sends no XML",
                     "Check S3_ENDPOINT.", text.substr(0, 200)};
    }
    return tree;
}

// The first child, whatever it is called.
const ptree::ptree& root_of(const ptree::ptree& tree) {
    static const ptree::ptree kNone;
    return tree.empty() ? kNone : tree.front().second;
}

}  // namespace

struct S3Client::Handle {
    Handle() : curl(curl_easy_init(), curl_easy_cleanup) {}
    std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl;
};

S3Client::S3Client(Options options) : options_(std::move(options)), handle_(std::make_unique<Handle>()) {}

S3Client::~S3Client() = default;

Result<std::unique_ptr<S3Client>> S3Client::open(const std::string& url, const config::Settings& settings) {
    if (settings.aws_access_key_id.empty()) {
        return Error{ErrorKind::configuration, "no key for " + url + ": AWS_ACCESS_KEY_ID is not set",
                     "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; backups do not use the AWS credential chain.",
                     ""};
    }
    const std::string rest = url.substr(std::string_view("s3://").size());
    const std::string bucket = rest.substr(0, rest.find('/'));
    Options options;
    options.region = settings.aws_region.empty() ? "us-east-1" : settings.aws_region;
    const bool is_aws = settings.s3_endpoint.empty();
    const std::string host = is_aws ? "s3." + options.region + ".amazonaws.com" : settings.s3_endpoint;
    const std::string scheme = settings.s3_use_ssl ? "https://" : "http://";
    options.base = settings.s3_url_style == "path" ? scheme + host + "/" + bucket : scheme + bucket + "." + host;
    options.place = "s3://" + bucket;
    options.key_id = settings.aws_access_key_id;
    options.secret = settings.aws_secret_access_key;
    options.session_token = settings.aws_session_token;
    return std::unique_ptr<S3Client>(new S3Client(std::move(options)));
}

Result<S3Client::Reply> S3Client::send_once(const Request& request) {
    CURL* const curl = handle_->curl.get();
    curl_easy_reset(curl);
    std::string url = options_.base + "/" + encoded(request.key, true);
    char mark = '?';
    for (const auto& [name, value] : request.query) {
        url += mark + encoded(name, false) + "=" + encoded(value, false);
        mark = '&';
    }
    curl_slist* list = nullptr;
    const auto add = [&list](const std::string& line) { list = curl_slist_append(list, line.c_str()); };
    add("x-amz-content-sha256: " + sha256_of(request.body));
    if (!options_.session_token.empty()) add("x-amz-security-token: " + options_.session_token.reveal());
    const std::string_view method = request.method;
    if (method == "PUT" || method == "POST") add("Content-Type: application/octet-stream");
    const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(list, curl_slist_free_all);
    const std::string signature = "aws:amz:" + options_.region + ":s3";
    Reply reply;
    std::array<char, CURL_ERROR_SIZE> words{};
    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, kSilentSeconds);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, words.data());
    curl_easy_setopt(curl, CURLOPT_AWS_SIGV4, signature.c_str());
    curl_easy_setopt(curl, CURLOPT_USERNAME, options_.key_id.reveal().c_str());
    curl_easy_setopt(curl, CURLOPT_PASSWORD, options_.secret.reveal().c_str());
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &reply.body);
    curl_easy_setopt(curl, CURLOPT_EXPECT_100_TIMEOUT_MS, 1L);  // the header cannot be left out of what is signed
    if (!request.range.empty()) curl_easy_setopt(curl, CURLOPT_RANGE, request.range.c_str());
    if (method == "HEAD") curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    if (method == "PUT" || method == "POST") {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.empty() ? "" : request.body.data());
    }
    if (method != "GET" && method != "HEAD") curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method);
    const CURLcode done = curl_easy_perform(curl);
    if (done != CURLE_OK) {
        return Error{ErrorKind::unavailable,
                     fmt::format("{} does not answer: {}", options_.place,
                                 words.front() != 0 ? words.data() : curl_easy_strerror(done)),
                     "Check the network, S3_ENDPOINT and S3_USE_SSL.", ""};
    }
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &reply.status);
    curl_off_t length = -1;
    curl_easy_getinfo(curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    reply.length = length;
    curl_header* header = nullptr;
    if (curl_easy_header(curl, "ETag", 0, CURLH_HEADER, -1, &header) == CURLHE_OK) reply.etag = header->value;
    return reply;
}

Result<S3Client::Reply> S3Client::send(const Request& request) {
    for (int attempt = 1;; ++attempt) {
        auto reply = send_once(request);
        const bool is_final = reply && !passes(reply->status);
        if (is_final || attempt == kAttempts) return reply;
        std::this_thread::sleep_for(kPause * (1 << attempt));
    }
}

Error S3Client::failure(const Request& request, const Reply& reply, const std::string& action) const {
    std::string code;
    std::string said;
    if (const auto tree = parse_xml(reply.body); tree && !reply.body.empty()) {
        code = root_of(*tree).get("Code", "");
        said = root_of(*tree).get("Message", "");
    }
    ErrorKind kind = ErrorKind::unavailable;
    std::string hint;
    if (reply.status == kFull || code.find("Quota") != std::string::npos || code.find("Full") != std::string::npos) {
        kind = ErrorKind::limit;
        hint = "Make room there, or name another place with --backup-to; what was there stays.";
    } else if (reply.status == kForbidden) {
        kind = ErrorKind::permission;
        hint = "Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and what the key may do in the bucket.";
    } else if (reply.status == kNotFound) {
        kind = ErrorKind::not_found;
        if (code == "NoSuchBucket") hint = "Create the bucket; Boathouse makes none.";
    }
    const std::string place = options_.place + "/" + request.key;
    return {kind,
            fmt::format("cannot {} {}: {}{}HTTP {}", action, place, code.empty() ? "" : code + ": ",
                        said.empty() ? "" : said + ", ", reply.status),
            hint, ""};
}

Result<S3Client::Reply> S3Client::ask(const Request& request, const std::string& action) {
    auto reply = send(request);
    if (!reply) return reply;
    if (reply->status >= kOk && reply->status < 300) return reply;
    return failure(request, *reply, action);
}

Result<std::optional<long long>> S3Client::size(const std::string& key) {
    const Request request{.method = "HEAD", .key = key};
    const auto reply = send(request);
    if (!reply) return reply.error();
    if (reply->status == kNotFound) return std::optional<long long>();
    if (reply->status != kOk) return failure(request, *reply, "look for");
    return std::optional(reply->length);
}

Result<std::string> S3Client::get(const std::string& key, long long offset, long long length) {
    const Request request{.key = key, .range = fmt::format("{}-{}", offset, offset + length - 1)};
    auto reply = send(request);
    if (!reply) return reply.error();
    if (reply->status == kRangeBeyondEnd) return std::string();
    if (reply->status >= kOk && reply->status < 300) return std::move(reply->body);
    return failure(request, *reply, "read");
}

Status S3Client::put(const std::string& key, std::string_view body) {
    const auto reply = ask({.method = "PUT", .key = key, .body = body}, "write");
    return reply ? Status() : Status(reply.error());
}

Status S3Client::remove(const std::string& key) {
    const auto reply = ask({.method = "DELETE", .key = key}, "remove");
    if (reply || reply.error().kind == ErrorKind::not_found) return {};
    return reply.error();
}

Result<S3Client::Listing> S3Client::list(const std::string& prefix, bool by_directory) {
    Listing listing;
    Query query{{"list-type", "2"}, {"prefix", prefix}};
    if (by_directory) query["delimiter"] = "/";
    while (true) {
        const auto reply = ask({.query = query}, "list");
        if (!reply) return reply.error();
        const auto tree = parse_xml(reply->body);
        if (!tree) return tree.error();
        for (const auto& [name, entry] : root_of(*tree)) {
            if (name == "Contents") listing.objects.push_back({entry.get("Key", ""), entry.get("Size", 0LL)});
            if (name == "CommonPrefixes") listing.directories.push_back(entry.get("Prefix", ""));
        }
        const std::string next = root_of(*tree).get("NextContinuationToken", "");
        if (root_of(*tree).get("IsTruncated", "") != "true" || next.empty()) return listing;
        query["continuation-token"] = next;
    }
}

Result<S3Client::Upload> S3Client::begin_upload(const std::string& key) {
    const auto reply = ask({.method = "POST", .key = key, .query = {{"uploads", ""}}}, "write");
    if (!reply) return reply.error();
    const auto tree = parse_xml(reply->body);
    if (!tree) return tree.error();
    return Upload{key, root_of(*tree).get("UploadId", ""), {}};
}

Status S3Client::put_part(Upload& upload, std::string_view body) {
    const std::string number = std::to_string(upload.parts.size() + 1);
    const auto reply = ask(
        {.method = "PUT", .key = upload.key, .query = {{"partNumber", number}, {"uploadId", upload.id}}, .body = body},
        "write");
    if (!reply) return reply.error();
    upload.parts.push_back(reply->etag);
    return {};
}

// The answer may be 200 and tell of a failure all the same.
Status S3Client::finish_upload(const Upload& upload) {
    std::string body = "<CompleteMultipartUpload>";
    for (std::size_t i = 0; i < upload.parts.size(); ++i)
        body += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>{}</ETag></Part>", i + 1, upload.parts[i]);
    body += "</CompleteMultipartUpload>";
    const Request request{.method = "POST", .key = upload.key, .query = {{"uploadId", upload.id}}, .body = body};
    const auto reply = ask(request, "write");
    if (!reply) return reply.error();
    const auto tree = parse_xml(reply->body);
    if (!tree) return tree.error();
    if (tree->front().first == "Error") return failure(request, *reply, "write");
    return {};
}

Status S3Client::abort_upload(const Upload& upload) {
    const auto reply = ask({.method = "DELETE", .key = upload.key, .query = {{"uploadId", upload.id}}}, "give up");
    if (reply || reply.error().kind == ErrorKind::not_found) return {};
    return reply.error();
}

Result<std::vector<S3Client::Upload>> S3Client::unfinished_uploads(const std::string& prefix) {
    const auto reply = ask({.query = {{"prefix", prefix}, {"uploads", ""}}}, "list the unfinished uploads of");
    if (!reply) return reply.error();
    const auto tree = parse_xml(reply->body);
    if (!tree) return tree.error();
    std::vector<Upload> uploads;
    for (const auto& [name, entry] : root_of(*tree)) {
        if (name == "Upload") uploads.push_back({entry.get("Key", ""), entry.get("UploadId", ""), {}});
    }
    return uploads;
}

}  // namespace boathouse::backup
