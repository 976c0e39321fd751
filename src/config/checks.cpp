#include "config/checks.hpp"

#include <arpa/inet.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>
#include <string_view>

#include "config/catalog_url.hpp"

namespace boathouse::config {
namespace {

// PostgreSQL's NAMEDATALEN - 1.
constexpr std::size_t kNameBytesMax = 63;

class Checker {
  public:
    Checker(const Settings& settings, const std::map<std::string, std::string>& origins,
            std::vector<Complaint>& complaints)
        : settings_(settings), origins_(origins), complaints_(complaints) {}

    void listen();
    void ports();
    void password();
    void names();
    void tls();
    void catalog();
    void data_path();
    void s3();
    void backup_bucket();
    void backup();

  private:
    void missing(std::string name, std::string reason) { complaints_.push_back({std::move(name), std::move(reason)}); }
    void wrong(const std::string& key, const std::string& what) {
        complaints_.push_back({"", key + " (" + origin(key) + "): " + what});
    }
    std::string origin(const std::string& key) const {
        const auto found = origins_.find(key);
        return found == origins_.end() ? "default" : found->second;
    }
    bool given(const std::string& key) const { return origin(key) != "default"; }
    void name(const std::string& key, const std::string& value, const std::set<std::string_view>& reserved,
              const std::string& reason);
    void readable(const std::string& key, const std::string& path);

    const Settings& settings_;
    const std::map<std::string, std::string>& origins_;
    std::vector<Complaint>& complaints_;
};

void Checker::listen() {
    in6_addr address;
    const char* text = settings_.listen.c_str();
    if (::inet_pton(AF_INET, text, &address) == 1 || ::inet_pton(AF_INET6, text, &address) == 1) return;
    wrong("listen", "'" + settings_.listen +
                        "' is not an IP address: give 127.0.0.1 for this machine, 0.0.0.0 for every network it is on");
}

void Checker::ports() {
    const std::pair<const char*, std::int64_t> ports[] = {
        {"catalog_port", settings_.catalog_port}, {"sql_port", settings_.sql_port}, {"http_port", settings_.http_port}};
    for (std::size_t i = 0; i < std::size(ports); ++i) {
        for (std::size_t j = i + 1; j < std::size(ports); ++j) {
            const bool unused = i == 0 && !settings_.catalog.empty();  // an external catalog listens elsewhere
            if (unused || ports[i].second != ports[j].second || ports[i].second == 0) continue;
            wrong(ports[j].first, "port " + std::to_string(ports[j].second) + " is " + ports[i].first + " already (" +
                                      origin(ports[i].first) + "); each door needs its own");
        }
    }
}

void Checker::password() {
    const bool has = !settings_.postgres_password.empty() || !settings_.postgres_password_file.empty();
    if (has || !settings_.catalog.empty() || is_loopback(settings_.listen)) return;
    std::string reason =
        "listen is " + settings_.listen + " (" + origin("listen") +
        "), which others can reach; give a password, or POSTGRES_PASSWORD_FILE, or listen on 127.0.0.1";
    std::error_code ignored;
    const std::string generated = generated_password_file(settings_);
    if (std::filesystem::exists(generated, ignored)) {
        reason +=
            ". The password generated for loopback is not opened to the network by itself: "
            "POSTGRES_PASSWORD_FILE=" +
            generated + " does it on purpose";
    }
    missing("POSTGRES_PASSWORD", reason);
}

void Checker::name(const std::string& key, const std::string& value, const std::set<std::string_view>& reserved,
                   const std::string& reason) {
    if (value.empty()) {
        wrong(key, "must not be empty");
    } else if (value.size() > kNameBytesMax) {
        wrong(key, "'" + value + "' is longer than PostgreSQL's " + std::to_string(kNameBytesMax) + " bytes");
    } else if (reserved.count(value) > 0 || (key == "postgres_user" && value.rfind("pg_", 0) == 0)) {
        wrong(key, "'" + value + "' " + reason);
    }
}

void Checker::names() {
    name("postgres_user", settings_.postgres_user,
         {"boathouse", "public", "none", "lake_reader", "lake_writer", "lake_admin"},
         "is a role that Boathouse or PostgreSQL keeps for itself; choose another name");
    name("postgres_db", settings_.postgres_db, {"template0", "template1", "postgres"},
         "is a database of PostgreSQL's own; choose another name");
}

void Checker::readable(const std::string& key, const std::string& path) {
    std::error_code ignored;
    if (std::filesystem::is_directory(path, ignored)) {
        wrong(key, path + " is a directory");
    } else if (::access(path.c_str(), R_OK) != 0) {
        wrong(key, path + " cannot be read: " + std::strerror(errno));
    }
}

void Checker::tls() {
    const bool cert = !settings_.tls_cert_file.empty();
    const bool key = !settings_.tls_key_file.empty();
    if (cert && !key) {
        missing("tls_key_file", "a certificate is given with tls_cert_file (" + origin("tls_cert_file") +
                                    "), and its private key is not");
    }
    if (key && !cert) {
        missing("tls_cert_file", "a private key is given with tls_key_file (" + origin("tls_key_file") +
                                     "), and its certificate is not");
    }
    if (settings_.tls == "off" && (cert || key)) {
        wrong("tls", "is off, and a certificate is given with " +
                         std::string(cert ? "tls_cert_file (" + origin("tls_cert_file")
                                          : "tls_key_file (" + origin("tls_key_file")) +
                         "): leave out one of the two");
        return;
    }
    if (cert) readable("tls_cert_file", settings_.tls_cert_file);
    if (key) readable("tls_key_file", settings_.tls_key_file);
}

void Checker::catalog() {
    if (settings_.catalog.empty()) return;
    const auto parts = parse_catalog_url(settings_.catalog.reveal());
    if (!parts) {
        wrong("catalog", parts.error().message);
    } else if (origin("catalog").rfind("flag ", 0) == 0 && !parts->password.empty()) {
        wrong("catalog",
              "holds a password, and every user of this machine can read a command line (in the process list): "
              "set BOATHOUSE_CATALOG in the environment instead, or leave the password out and set PGPASSWORD");
    } else if (parts->host.empty()) {
        wrong("catalog", "names no host: postgresql://user@host:5432/database");
    } else if (parts->database.empty()) {
        wrong("catalog", "names no database: postgresql://user@host:5432/database");
    }
}

// S3's rules for bucket names, https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html, but for
// the letter case and underscores that other servers and old buckets have.
bool is_bucket_name(std::string_view bucket) {
    constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    return bucket.size() >= 3 && bucket.size() <= 63 && bucket.find_first_not_of(kAllowed) == std::string_view::npos;
}

// What is wrong with an S3 URL, or "".
std::string s3_url_fault(const std::string& url) {
    const std::string rest = url.substr(std::string_view("s3://").size());
    const std::string bucket = rest.substr(0, rest.find('/'));
    if (bucket.empty()) return "'" + url + "' names no bucket: s3://bucket/prefix/";
    if (!is_bucket_name(bucket)) {
        return "'" + bucket + "' is no bucket name: 3 to 63 letters, digits, '.', '-', as in s3://bucket/prefix/";
    }
    if (rest.find_first_of("?#*") != std::string::npos) {
        return "'" + url + "' holds one of ? # *; only a bucket and a prefix belong in it";
    }
    if (rest.find("//") != std::string::npos) return "'" + url + "' holds an empty folder name (//)";
    return "";
}

void Checker::data_path() {
    const std::string& bucket_url = settings_.s3_bucket_url;
    std::string fault;
    if (!bucket_url.empty() && !is_s3(bucket_url)) {
        wrong("s3_bucket_url", "'" + bucket_url + "' must begin with s3://");
    } else if (!bucket_url.empty() && !(fault = s3_url_fault(bucket_url)).empty()) {
        wrong("s3_bucket_url", fault);
    }
    const std::string& path = settings_.data_path;
    if (path.empty()) return;
    if (is_s3(path)) {
        if (!(fault = s3_url_fault(path)).empty()) wrong("data_path", fault);
    } else if (path.find("://") != std::string::npos) {
        wrong("data_path", "'" + path + "' is neither a local directory nor an s3:// URL");
    }
    if (bucket_url.empty() || bucket_url == path || bucket_url + "/" == path || bucket_url == path + "/") return;
    wrong("data_path", "is " + path + ", but s3_bucket_url (" + origin("s3_bucket_url") + ") is " + bucket_url +
                           ": leave out one of the two");
}

void Checker::s3() {
    const std::string path = effective_data_path(settings_);
    if (!is_s3(path)) return;
    if (settings_.aws_region.empty()) {
        missing("AWS_REGION", "the lake is in " + path + "; name its region (us-east-1 for most servers but AWS)");
    }
    const bool id = !settings_.aws_access_key_id.empty();
    const bool secret = !settings_.aws_secret_access_key.empty();
    if (id && !secret) {
        missing("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID is given (" + origin("aws_access_key_id") +
                                             "); give both, or neither for the AWS credential chain");
    }
    if (secret && !id) {
        missing("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY is given (" + origin("aws_secret_access_key") +
                                         "); give both, or neither for the AWS credential chain");
    }
    if (settings_.s3_endpoint.find('/') != std::string::npos) {
        wrong("s3_endpoint", "'" + settings_.s3_endpoint +
                                 "' must be host:port alone, without http:// and path; s3_use_ssl = false is for http");
    }
}

void Checker::backup_bucket() {
    const std::string& place = settings_.backup_to;
    if (const std::string fault = s3_url_fault(place); !fault.empty()) return wrong("backup_to", fault);
    if ((place + "/").starts_with(effective_data_path(settings_)))
        wrong("backup_to", place + " lies among the lake's files, whose orphans are removed: name another path");
    if (settings_.aws_access_key_id.empty() || settings_.aws_secret_access_key.empty()) {
        missing("AWS_ACCESS_KEY_ID", "backups go to " + place +
                                         " and have no key: give AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; the AWS "
                                         "credential chain is not used for backups");
    }
}

// What is lost together is no backup.
void Checker::backup() {
    constexpr std::size_t kKeyDigits = 64;
    const std::string& key = settings_.backup_key.reveal();
    if (!key.empty() &&
        (key.size() != kKeyDigits || key.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos)) {
        wrong("backup_key", "is not 64 hexadecimal digits: `openssl rand -hex 32` makes one");
    }
    const std::string& place = settings_.backup_to;
    if (place.empty()) return;
    if (is_s3(place)) {
        backup_bucket();
    } else if (place.find("://") != std::string::npos) {
        wrong("backup_to", "'" + place + "' is neither a local directory nor an s3:// URL");
    } else if ((place + "/").rfind(settings_.data_dir + "/", 0) == 0) {
        wrong("backup_to", place + " lies in the data directory, and would be lost with it: name another disk's");
    }
    if (!settings_.catalog.empty()) {
        wrong("backup_to",
              "the catalog is external, and its files are its provider's: use the backups and the "
              "point-in-time recovery of that PostgreSQL, and leave this out");
    }
}

}  // namespace

void check(const Settings& settings, const std::map<std::string, std::string>& origins,
           std::vector<Complaint>& complaints) {
    Checker checker(settings, origins, complaints);
    checker.listen();
    checker.ports();
    checker.password();
    checker.names();
    checker.tls();
    checker.catalog();
    checker.data_path();
    checker.s3();
    checker.backup();
}

}  // namespace boathouse::config
