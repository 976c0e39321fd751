// Objects in a bucket, by the S3 protocol: what a backup needs of it and no more.
//
// A request at a time, over libcurl, which signs it; a connection is kept between requests. What fails for a reason
// that passes (the connection, 429, 5xx) is tried again kAttempts times. One thread; blocks. Bodies lie in memory, so
// callers bound them. Errors: permission, not_found (the bucket, the key), limit (the store is full), unavailable; each
// says what S3 said. https://docs.aws.amazon.com/AmazonS3/latest/API/
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "config/settings.hpp"

namespace boathouse::backup {

class S3Client {
  public:
    // `url`: s3://bucket/prefix. Endpoint, region and key are the settings'. Errors: configuration (there is no key).
    static Result<std::unique_ptr<S3Client>> open(const std::string& url, const config::Settings& settings);
    S3Client(const S3Client&) = delete;
    S3Client& operator=(const S3Client&) = delete;
    ~S3Client();

    // Keys are whole: the prefix of the URL belongs to them.
    Result<std::optional<long long>> size(const std::string& key);
    // Up to `length` bytes from `offset` on; fewer at the end alone, none beyond it.
    Result<std::string> get(const std::string& key, long long offset, long long length);
    Status put(const std::string& key, std::string_view body);
    // What is not there is removed already.
    Status remove(const std::string& key);

    struct Object {
        std::string key{};
        long long bytes = 0;
    };
    struct Listing {
        std::vector<Object> objects{};
        std::vector<std::string> directories{};  // where keys are grouped: each up to its '/'
    };
    // By key; those that have another '/' after the prefix by directory, if `by_directory`.
    Result<Listing> list(const std::string& prefix, bool by_directory);

    // An object in parts of 5 MB at least, but for the last; it is there whole after finish_upload() or not at all.
    struct Upload {
        std::string key{};
        std::string id{};
        std::vector<std::string> parts{};  // their ETags
    };
    Result<Upload> begin_upload(const std::string& key);
    Status put_part(Upload& upload, std::string_view body);
    Status finish_upload(const Upload& upload);
    Status abort_upload(const Upload& upload);
    // Those that nobody has finished.
    Result<std::vector<Upload>> unfinished_uploads(const std::string& prefix);

  private:
    static constexpr int kAttempts = 5;
    using Query = std::map<std::string, std::string>;
    struct Request {
        const char* method = "GET";
        std::string key{};
        Query query{};
        std::string_view body{};
        std::string range{};  // "0-99"
    };
    struct Reply {
        long status = 0;
        std::string body{};
        std::string etag{};
        long long length = -1;
    };
    struct Options {
        std::string base{};   // "https://host/bucket"
        std::string place{};  // "s3://bucket", for messages
        std::string region{};
        Secret key_id{}, secret{}, session_token{};
    };
    struct Handle;

    explicit S3Client(Options options);
    // Any status; an error where there is none.
    Result<Reply> send(const Request& request);
    Result<Reply> send_once(const Request& request);
    // Success, or what S3 said.
    Result<Reply> ask(const Request& request, const std::string& action);
    Error failure(const Request& request, const Reply& reply, const std::string& action) const;

    const Options options_;
    const std::unique_ptr<Handle> handle_;
};

}  // namespace boathouse::backup
