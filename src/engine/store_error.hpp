// What an object store's refusal means to the person who set the box up.
//
// Pure: from the reply (HTTP status and S3's XML error body, or the transport's words when no reply came) to one Error
// that names the bucket, the endpoint, the region or the key, and the setting to change. The codes are those of
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html, as S3, MinIO, SeaweedFS, Ceph and versitygw send
// them. Never shows a secret: a key id is shown by its last four characters only.
#pragma once

#include <string>

#include "base/error.hpp"
#include "config/settings.hpp"

namespace boathouse::engine {

struct StoreReply {
    int status = 0;    // HTTP status; 0: no reply came
    std::string body;  // S3's error document, may be empty
    std::string text;  // the client's own words
};

// `action` is what was tried, as in "write": "the box cannot write s3://lake/…". Kinds: configuration (bucket, region,
// key, secret, TLS), permission, unavailable, limit.
Error explain_store_error(const StoreReply& reply, const config::Settings& settings, const std::string& data_path,
                          const std::string& action);

// "s3://bucket/prefix/" -> "bucket".
std::string bucket_of(const std::string& data_path);

}  // namespace boathouse::engine
