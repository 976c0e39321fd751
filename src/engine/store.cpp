#include "engine/store.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <duckdb/common/types/uuid.hpp>

#include "engine/store_error.hpp"

namespace boathouse::engine {
namespace {

constexpr const char* kProbeText = "boathouse data path probe\n";

StoreReply reply_of(const duckdb::ErrorData& data) {
    StoreReply reply;
    reply.text = data.RawMessage();
    const auto& extra = data.ExtraInfo();
    if (const auto status = extra.find("status_code"); status != extra.end()) {
        const std::string& digits = status->second;
        std::from_chars(digits.data(), digits.data() + digits.size(), reply.status);  // else it stays 0: unknown
    }
    if (const auto body = extra.find("response_body"); body != extra.end()) reply.body = body->second;
    return reply;
}

void append_endpoint(std::string& sql, const config::Settings& settings) {
    if (!settings.s3_endpoint.empty()) sql += ", ENDPOINT " + literal(settings.s3_endpoint);
    sql += ", URL_STYLE " + literal(settings.s3_url_style);
    sql += std::string(", USE_SSL ") + (settings.s3_use_ssl ? "true" : "false");
    if (!settings.aws_region.empty()) sql += ", REGION " + literal(settings.aws_region);
}

double write_read_delete(duckdb::FileSystem& files, const std::string& path, std::string& action) {
    action = "write";
    double clock_ahead_seconds = 0;
    {
        const auto file =
            files.OpenFile(path, duckdb::FileFlags::FILE_FLAGS_WRITE | duckdb::FileFlags::FILE_FLAGS_FILE_CREATE_NEW);
        std::string text = kProbeText;
        file->Write(text.data(), text.size());
        file->Close();
    }
    action = "read";
    {
        const auto file = files.OpenFile(path, duckdb::FileFlags::FILE_FLAGS_READ);
        std::string text(std::string(kProbeText).size(), '\0');
        file->Read(text.data(), text.size());
        if (text != kProbeText) throw duckdb::IOException("the store gives back other bytes than were written");
        const double modified = static_cast<double>(files.GetLastModifiedTime(*file).value) / 1e6;
        if (modified > 0) clock_ahead_seconds = modified - static_cast<double>(std::time(nullptr));  // 0: not told
    }
    action = "delete";
    files.RemoveFile(path);
    return clock_ahead_seconds;
}

}  // namespace

Status create_store_secret(Database& database, const config::Settings& settings, const std::string& data_path) {
    const bool own_key = !settings.aws_access_key_id.empty();
    std::string sql = "CREATE OR REPLACE SECRET boathouse_store (TYPE s3";
    if (own_key) {
        sql += ", KEY_ID " + literal(settings.aws_access_key_id.reveal());
        sql += ", SECRET " + literal(settings.aws_secret_access_key.reveal());
        if (!settings.aws_session_token.empty())
            sql += ", SESSION_TOKEN " + literal(settings.aws_session_token.reveal());
    } else {
        sql += ", PROVIDER credential_chain, REFRESH auto";
    }
    append_endpoint(sql, settings);
    sql += ", SCOPE " + literal("s3://" + bucket_of(data_path)) + ")";
    const auto created = database.query(sql);
    if (created) return {};
    if (own_key) {
        return Error{ErrorKind::configuration, "DuckDB does not take the S3 settings: " + created.error().message,
                     "Check S3_ENDPOINT, S3_URL_STYLE and AWS_REGION.", created.error().detail};
    }
    return Error{
        ErrorKind::configuration,
        fmt::format("no key for {}: AWS_ACCESS_KEY_ID is not set and the AWS credential chain found none", data_path),
        "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the container or instance a role that may use "
        "the bucket.",
        created.error().message + " " + created.error().detail};
}

Result<double> check_store(Database& database, const config::Settings& settings, const std::string& data_path) {
    const std::string path =
        data_path + ".boathouse-probe-" + duckdb::UUID::ToString(duckdb::UUID::GenerateRandomUUID());
    std::string action = "reach";
    double clock_ahead_seconds = 0;
    try {
        database.with_file_system(
            [&](duckdb::FileSystem& files) { clock_ahead_seconds = write_read_delete(files, path, action); });
        return clock_ahead_seconds;
    } catch (const std::exception& exception) {
        StoreReply reply = reply_of(duckdb::ErrorData(exception));
        reply.text = database.scrubber()(reply.text);
        std::replace(reply.text.begin(), reply.text.end(), '\n', ' ');  // a log line is one line
        return explain_store_error(reply, settings, data_path, action);
    }
}

}  // namespace boathouse::engine
