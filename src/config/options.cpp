#include "config/options.hpp"

#include <algorithm>

#include "config/policy.hpp"

namespace boathouse::config {
namespace {

constexpr std::string_view kBox = "The box";
constexpr std::string_view kAccess = "Who may enter";
constexpr std::string_view kCatalog = "The catalog";
constexpr std::string_view kLake = "The lake";
constexpr std::string_view kEngine = "The engine";
constexpr std::string_view kSqlDoor = "The SQL door";
constexpr std::string_view kHttpDoor = "The HTTP door";
constexpr std::string_view kKeeper = "The keeper";
constexpr std::string_view kBackup = "Backups";

constexpr std::int64_t kPortMax = 65535;

std::vector<Option> box_options() {
    return {
        {.key = "config_file",
         .flag = "--config",
         .environment = {"BOATHOUSE_CONFIG"},
         .group = kBox,
         .member = &Settings::config_file,
         .default_note = "`/etc/boathouse/boathouse.toml` where it exists",
         .shape = Shape::file,
         .example = "/etc/boathouse/boathouse.toml",
         .prose = "File to read settings from. Its keys are the names on this page. A file that holds a secret must be "
                  "readable by its owner only (mode 0600)."},
        {.key = "data_dir",
         .flag = "--data-dir",
         .environment = {"BOATHOUSE_DATA_DIR"},
         .group = kBox,
         .member = &Settings::data_dir,
         .default_note = "`/var/lib/boathouse` for root, else `$XDG_DATA_HOME/boathouse` or `~/.local/share/boathouse`",
         .shape = Shape::directory,
         .example = "/var/lib/boathouse",
         .prose =
             "Directory that holds everything the box keeps. One box at a time uses it; it is created if missing."},
        {.key = "run_as",
         .flag = "--run-as",
         .environment = {"BOATHOUSE_RUN_AS"},
         .group = kBox,
         .member = &Settings::run_as,
         .default_note = "`boathouse` where that user exists, else `postgres`",
         .example = "boathouse",
         .prose =
             "User that a box started as root becomes once it owns its data directory. Nothing is served as root."},
        {.key = "listen",
         .flag = "--listen",
         .environment = {"BOATHOUSE_LISTEN"},
         .group = kBox,
         .member = &Settings::listen,
         .default_text = "127.0.0.1",
         .example = "0.0.0.0",
         .prose = "IP address that all doors listen on. Beyond loopback a password is required."},
        {.key = "catalog_port",
         .flag = "--catalog-port",
         .environment = {"BOATHOUSE_CATALOG_PORT"},
         .group = kBox,
         .member = &Settings::catalog_port,
         .default_text = "5432",
         .min = 1,
         .max = kPortMax,
         .example = "15432",
         .prose = "Port of the catalog, where DuckDB clients attach the lake."},
        {.key = "sql_port",
         .flag = "--sql-port",
         .environment = {"BOATHOUSE_SQL_PORT"},
         .group = kBox,
         .member = &Settings::sql_port,
         .default_text = "5433",
         .min = 1,
         .max = kPortMax,
         .example = "15433",
         .prose = "Port of the SQL door, where PostgreSQL clients query the lake."},
        {.key = "http_port",
         .flag = "--http-port",
         .environment = {"BOATHOUSE_HTTP_PORT"},
         .group = kBox,
         .member = &Settings::http_port,
         .default_text = "8080",
         .min = 1,
         .max = kPortMax,
         .example = "18080",
         .prose = "Port of the HTTP door: health, metrics, the extension mirror."},
        {.key = "shutdown_grace_seconds",
         .flag = "--shutdown-grace-seconds",
         .environment = {"BOATHOUSE_SHUTDOWN_GRACE_SECONDS"},
         .group = kBox,
         .member = &Settings::shutdown_grace_seconds,
         .default_text = "30",
         .min = 0,
         .max = 3600,
         .example = "10",
         .prose = "Seconds that running statements get to finish after SIGTERM. A second SIGTERM ends the wait."},
        {.key = "log_level",
         .flag = "--log-level",
         .environment = {"BOATHOUSE_LOG_LEVEL"},
         .group = kBox,
         .member = &Settings::log_level,
         .default_text = "info",
         .choices = {"debug", "info", "warning", "error"},
         .example = "debug",
         .prose = "Least severe event that is logged."},
        {.key = "log_format",
         .flag = "--log-format",
         .environment = {"BOATHOUSE_LOG_FORMAT"},
         .group = kBox,
         .member = &Settings::log_format,
         .default_text = "text",
         .choices = {"text", "json"},
         .example = "json",
         .prose = "Form of a log line: text for people, json for machines."},
    };
}

std::vector<Option> access_options() {
    return {
        {.key = "postgres_user",
         .flag = "--postgres-user",
         .environment = {"POSTGRES_USER"},
         .group = kAccess,
         .member = &Settings::postgres_user,
         .default_text = "admin",
         .example = "admin",
         .prose = "Role that clients log in as: owner of the lake, may create roles, not a superuser."},
        {.key = "postgres_password",
         .flag = "",
         .environment = {"POSTGRES_PASSWORD"},
         .group = kAccess,
         .member = &Settings::postgres_password,
         .default_note = "on loopback one is generated and kept in `<data_dir>/secrets/postgres_password`",
         .example = "a long random text",
         .prose = "That role's password. Required as soon as `listen` is not a loopback address."},
        {.key = "postgres_password_file",
         .flag = "--postgres-password-file",
         .environment = {"POSTGRES_PASSWORD_FILE"},
         .group = kAccess,
         .member = &Settings::postgres_password_file,
         .shape = Shape::file,
         .example = "/run/secrets/postgres_password",
         .prose = "File to read the password from, in place of POSTGRES_PASSWORD. A newline at its end is left out."},
        {.key = "postgres_db",
         .flag = "--postgres-db",
         .environment = {"POSTGRES_DB"},
         .group = kAccess,
         .member = &Settings::postgres_db,
         .default_text = "lakehouse",
         .example = "lakehouse",
         .prose = "PostgreSQL database that holds the catalog: `dbname` in a client's ATTACH."},
        {.key = "tls",
         .flag = "--tls",
         .environment = {"BOATHOUSE_TLS"},
         .group = kAccess,
         .member = &Settings::tls,
         .default_text = "on",
         .choices = {"off", "on", "require"},
         .example = "require",
         .prose = "Encryption on all three ports: off, on for clients that ask for it, require for all. The HTTP door "
                  "takes `http://` and `https://` on its one port; `require` means its `/v1/…`, while health, metrics "
                  "and the extension mirror are open to both. Without a certificate of yours, a self-signed one is "
                  "generated once."},
        {.key = "tls_cert_file",
         .flag = "--tls-cert-file",
         .environment = {"BOATHOUSE_TLS_CERT_FILE"},
         .group = kAccess,
         .member = &Settings::tls_cert_file,
         .default_note = "a self-signed certificate in `<data_dir>/tls/`",
         .shape = Shape::file,
         .example = "/etc/boathouse/server.crt",
         .prose = "Certificate chain, PEM. Needs `tls_key_file`."},
        {.key = "tls_key_file",
         .flag = "--tls-key-file",
         .environment = {"BOATHOUSE_TLS_KEY_FILE"},
         .group = kAccess,
         .member = &Settings::tls_key_file,
         .default_note = "the self-signed certificate's key",
         .shape = Shape::file,
         .example = "/etc/boathouse/server.key",
         .prose = "The certificate's private key, PEM, readable by its owner only. Needs `tls_cert_file`."},
    };
}

std::vector<Option> catalog_options() {
    return {
        {.key = "catalog",
         .flag = "--catalog",
         .environment = {"BOATHOUSE_CATALOG"},
         .group = kCatalog,
         .member = &Settings::catalog,
         .default_note = "the box runs its own PostgreSQL",
         .example = "postgresql://boathouse@db.example.com:5432/lakehouse?sslmode=require",
         .prose =
             "URL of a PostgreSQL that holds the catalog instead of the box's own. A URL with a password is "
             "refused as a flag, because every user of the machine can read a command line: set BOATHOUSE_CATALOG, "
             "or leave the password to PGPASSWORD or a pgpass file."},
        {.key = "pg_bin",
         .flag = "--pg-bin",
         .environment = {"BOATHOUSE_PG_BIN"},
         .group = kCatalog,
         .member = &Settings::pg_bin,
         .default_note = "searched for: PATH, pg_config, `/usr/lib/postgresql/*/bin`",
         .shape = Shape::directory,
         .example = "/usr/lib/postgresql/15/bin",
         .prose = "Directory of the PostgreSQL programs (postgres, initdb), version 14 or newer."},
        {.key = "catalog_max_connections",
         .flag = "--catalog-max-connections",
         .environment = {"BOATHOUSE_CATALOG_MAX_CONNECTIONS"},
         .group = kCatalog,
         .member = &Settings::catalog_max_connections,
         .default_text = "200",
         .min = 20,
         .max = 10000,
         .example = "500",
         .prose = "Connections that the catalog takes. One DuckDB client may hold up to eight."},
    };
}

std::vector<Option> lake_options() {
    return {
        {.key = "data_path",
         .flag = "--data-path",
         .environment = {"DATA_PATH"},
         .group = kLake,
         .member = &Settings::data_path,
         .default_note = "`s3_bucket_url`, else `<data_dir>/lake/`",
         .shape = Shape::directory,
         .example = "/srv/lake/",
         .prose = "Where the lake's Parquet files are: an absolute local directory or an `s3://bucket/prefix/` URL. It "
                  "is stored in the catalog when the lake is created."},
        {.key = "s3_bucket_url",
         .flag = "--s3-bucket-url",
         .environment = {"S3_BUCKET_URL"},
         .group = kLake,
         .member = &Settings::s3_bucket_url,
         .example = "s3://my-bucket/lake/",
         .prose = "The data path on S3, under the name that container setups use. Give this or `data_path`."},
        {.key = "s3_endpoint",
         .flag = "--s3-endpoint",
         .environment = {"S3_ENDPOINT"},
         .group = kLake,
         .member = &Settings::s3_endpoint,
         .default_note = "AWS",
         .example = "minio:9000",
         .prose = "Host and port of an S3 server other than AWS, without `http://`; `s3_use_ssl` says which it is."},
        {.key = "s3_url_style",
         .flag = "--s3-url-style",
         .environment = {"S3_URL_STYLE"},
         .group = kLake,
         .member = &Settings::s3_url_style,
         .default_note = "path with `s3_endpoint`, else vhost",
         .choices = {"path", "vhost"},
         .example = "path",
         .prose = "How a bucket is addressed: path is `endpoint/bucket`, vhost is `bucket.endpoint`."},
        {.key = "s3_use_ssl",
         .flag = "--s3-use-ssl",
         .environment = {"S3_USE_SSL"},
         .group = kLake,
         .member = &Settings::s3_use_ssl,
         .default_text = "true",
         .example = "false",
         .prose = "Whether S3 is spoken over https."},
        {.key = "aws_region",
         .flag = "--aws-region",
         .environment = {"AWS_REGION", "AWS_DEFAULT_REGION"},
         .group = kLake,
         .member = &Settings::aws_region,
         .example = "eu-central-1",
         .prose =
             "Region of the bucket. Required when the lake is on S3; other servers than AWS mostly take us-east-1."},
        {.key = "aws_access_key_id",
         .flag = "",
         .environment = {"AWS_ACCESS_KEY_ID"},
         .group = kLake,
         .member = &Settings::aws_access_key_id,
         .default_note = "the AWS credential chain: profile, container role, instance role",
         .example = "AKIAIOSFODNN7EXAMPLE",
         .prose = "Access key for S3. Give it together with `aws_secret_access_key`, or neither."},
        {.key = "aws_secret_access_key",
         .flag = "",
         .environment = {"AWS_SECRET_ACCESS_KEY"},
         .group = kLake,
         .member = &Settings::aws_secret_access_key,
         .example = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
         .prose = "The access key's secret."},
        {.key = "aws_session_token",
         .flag = "",
         .environment = {"AWS_SESSION_TOKEN"},
         .group = kLake,
         .member = &Settings::aws_session_token,
         .example = "FwoGZXIvYXdzEJr",
         .prose = "Token that temporary keys come with."},
        {.key = "lake_compression",
         .flag = "--lake-compression",
         .environment = {"BOATHOUSE_LAKE_COMPRESSION"},
         .group = kLake,
         .member = &Settings::lake_compression,
         .default_text = "zstd",
         .choices = {"uncompressed", "snappy", "gzip", "zstd", "brotli", "lz4"},
         .example = "snappy",
         .prose = "Compression of Parquet files. This and the next three are written into the lake when it is created; "
                  "`CALL ducklake_set_option` changes them later."},
        {.key = "lake_target_file_size_mb",
         .flag = "--lake-target-file-size-mb",
         .environment = {"BOATHOUSE_LAKE_TARGET_FILE_SIZE_MB"},
         .group = kLake,
         .member = &Settings::lake_target_file_size_mb,
         .default_text = "512",
         .min = 1,
         .max = 65536,
         .example = "128",
         .prose = "Size in MB that merging and writing aim at for a Parquet file."},
        {.key = "lake_row_group_rows",
         .flag = "--lake-row-group-rows",
         .environment = {"BOATHOUSE_LAKE_ROW_GROUP_ROWS"},
         .group = kLake,
         .member = &Settings::lake_row_group_rows,
         .default_text = "122880",
         .min = 2048,
         .max = 16777216,
         .example = "245760",
         .prose = "Rows in a row group of a Parquet file."},
        {.key = "lake_inlining_rows",
         .flag = "--lake-inlining-rows",
         .environment = {"BOATHOUSE_LAKE_INLINING_ROWS"},
         .group = kLake,
         .member = &Settings::lake_inlining_rows,
         .default_text = "10",
         .min = 0,
         .max = 100000,
         .example = "0",
         .prose =
             "Largest insert, in rows, that is kept in the catalog instead of in a Parquet file of its own. 0: none. "
             "Its cost grows with the square of the rows; beyond 1,000 a file is faster."},
        {.key = "lake_encrypted",
         .flag = "--lake-encrypted",
         .environment = {"BOATHOUSE_LAKE_ENCRYPTED"},
         .group = kLake,
         .member = &Settings::lake_encrypted,
         .default_text = "false",
         .example = "true",
         .prose = "Whether the lake's files are encrypted, decided when the lake is created. The keys are kept in the "
                  "catalog: who may read it may read the files."},
    };
}

std::vector<Option> engine_options() {
    return {
        {.key = "extension_dir",
         .flag = "--extension-dir",
         .environment = {"BOATHOUSE_EXTENSION_DIR"},
         .group = kEngine,
         .member = &Settings::extension_dir,
         .default_note = "the extensions that are installed with Boathouse",
         .shape = Shape::directory,
         .example = "/usr/lib/boathouse/extensions",
         .prose = "Directory of DuckDB's extensions, laid out as `v<version>/<platform>/<name>.duckdb_extension`."},
        {.key = "memory_limit_mb",
         .flag = "--memory-limit-mb",
         .environment = {"BOATHOUSE_MEMORY_LIMIT_MB"},
         .group = kEngine,
         .member = &Settings::memory_limit_mb,
         .default_text = "0",
         .min = 0,
         .max = 16777216,
         .example = "4096",
         .prose = "Memory in MB that the engine may use before it spills to disk. 0: from the container's limit or the "
                  "machine."},
        {.key = "threads",
         .flag = "--threads",
         .environment = {"BOATHOUSE_THREADS"},
         .group = kEngine,
         .member = &Settings::threads,
         .default_text = "0",
         .min = 0,
         .max = 1024,
         .example = "4",
         .prose = "Threads that the engine runs queries on. 0: one for each core."},
        {.key = "engine_restart_max",
         .flag = "--engine-restart-max",
         .environment = {"BOATHOUSE_ENGINE_RESTART_MAX"},
         .group = kEngine,
         .member = &Settings::engine_restart_max,
         .default_text = "10",
         .min = 0,
         .max = 1000,
         .example = "3",
         .prose = "How many times in a row a failing engine is started again before the box gives up and exits."},
    };
}

std::vector<Option> sql_door_options() {
    return {
        {.key = "sql_connections_max",
         .flag = "--sql-connections-max",
         .environment = {"BOATHOUSE_SQL_CONNECTIONS_MAX"},
         .group = kSqlDoor,
         .member = &Settings::sql_connections_max,
         .default_text = "10000",
         .min = 1,
         .max = 100000,
         .example = "500",
         .prose =
             "Clients that the SQL door takes at once; further ones are told 53300. An idle one costs 4 kB, over TLS "
             "84 kB, and each a file descriptor: the engine raises its soft limit to the hard one (`ulimit -Hn`)."},
        {.key = "sql_running_max",
         .flag = "--sql-running-max",
         .environment = {"BOATHOUSE_SQL_RUNNING_MAX"},
         .group = kSqlDoor,
         .member = &Settings::sql_running_max,
         .default_text = "16",
         .min = 1,
         .max = 1024,
         .example = "32",
         .prose = "Statements that run at once through the SQL door, a thread each; further ones wait their turn. They "
                  "share `threads` and the memory limit."},
        {.key = "sql_waiting_max",
         .flag = "--sql-waiting-max",
         .environment = {"BOATHOUSE_SQL_WAITING_MAX"},
         .group = kSqlDoor,
         .member = &Settings::sql_waiting_max,
         .default_text = "1000",
         .min = 0,
         .max = 100000,
         .example = "100",
         .prose = "Statements that wait for one of `sql_running_max`; further ones are told 53400. A statement in an "
                  "open transaction is always let in, because its end is what makes room."},
        {.key = "cache_mb",
         .flag = "--cache-mb",
         .environment = {"BOATHOUSE_CACHE_MB"},
         .group = kSqlDoor,
         .member = &Settings::cache_mb,
         .default_text = "64",
         .min = 0,
         .max = 65536,
         .example = "256",
         .prose =
             "Memory, in MiB, for answers that are kept and given again as long as no newer snapshot is there; one "
             "answer takes a sixteenth at most. 0: none is kept. A session turns it off with "
             "`SET boathouse.cache = off`; `SHOW boathouse.cache` tells what it does."},
        {.key = "small_tables_mb",
         .flag = "--small-tables-mb",
         .environment = {"BOATHOUSE_SMALL_TABLES_MB"},
         .group = kSqlDoor,
         .member = &Settings::small_tables_mb,
         .default_text = "64",
         .min = 0,
         .max = 65536,
         .example = "256",
         .prose = "Memory, in MiB, for the rows of small tables that are asked for again and again, so that queries on "
                  "them need none of DuckLake's questions to the catalog; a table takes an eighth and 100,000 rows at "
                  "most. They are read as long as no newer snapshot has changed them. 0: none is kept, nor where "
                  "`cache_mb` is 0. A session turns it off with `SET boathouse.cache = off`."},
    };
}

std::vector<Option> http_door_options() {
    return {
        {.key = "http_body_mb",
         .flag = "--http-body-mb",
         .environment = {"BOATHOUSE_HTTP_BODY_MB"},
         .group = kHttpDoor,
         .member = &Settings::http_body_mb,
         .default_text = "64",
         .min = 1,
         .max = 4096,
         .example = "256",
         .prose = "The largest body, in MiB, of a request to `/v1/…`, as it is sent and as it is once decompressed; a "
                  "larger one is answered 413."},
        {.key = "http_bodies_mb",
         .flag = "--http-bodies-mb",
         .environment = {"BOATHOUSE_HTTP_BODIES_MB"},
         .group = kHttpDoor,
         .member = &Settings::http_bodies_mb,
         .default_text = "256",
         .min = 1,
         .max = 65536,
         .example = "1024",
         .prose =
             "Memory, in MiB, for the bodies of all requests to `/v1/…` that are on their way; a request beyond it "
             "is answered 429. One body is always let in."},
        {.key = "http_requests_per_second",
         .flag = "--http-requests-per-second",
         .environment = {"BOATHOUSE_HTTP_REQUESTS_PER_SECOND"},
         .group = kHttpDoor,
         .member = &Settings::http_requests_per_second,
         .default_text = "0",
         .min = 0,
         .max = 1000000,
         .example = "500",
         .prose = "Requests to `/v1/…` that one user may make in a second; further ones are answered 429, with the "
                  "time to wait in `Retry-After`. 0: no limit."},
        {.key = "http_plain_passwords",
         .flag = "--http-plain-passwords",
         .environment = {"BOATHOUSE_HTTP_PLAIN_PASSWORDS"},
         .group = kHttpDoor,
         .member = &Settings::http_plain_passwords,
         .default_text = "false",
         .example = "true",
         .prose = "Take passwords and tokens over HTTP although the connection is not encrypted: for a box behind a "
                  "proxy that speaks TLS. Without it they are refused unread, but for connections of this machine, and "
                  "for those too with `tls = require`."},
    };
}

Status check_lake_policy(const Option& option, const std::string& text) {
    const PolicyRow& row = *find_policy(option.key);
    if (text == kPolicyOff || parse_policy(row, text)) return {};
    return Error{ErrorKind::configuration, "'" + text + "' is not " + policy_example(row.kind) + ", nor off", "", ""};
}

Status check_policy_list(const Option&, const std::string& text) {
    const auto list = parse_policy_list(text);
    return list ? Status() : Status(list.error());
}

std::string_view policy_form(PolicyKind kind) {
    switch (kind) {
        case PolicyKind::duration:
            return "a duration such as `7 days` or `12 hours`, or off";
        case PolicyKind::bytes:
            return "a size such as `128MB`, or off";
        case PolicyKind::count:
            return "a whole number above 0, or off";
        case PolicyKind::fraction:
            return "a fraction between 0 and 1, or off";
        case PolicyKind::window:
            return "hours of the day in UTC such as `22:00-06:00`, or off";
    }
    return "";
}

// Default and prose are the policy's own.
Option policy_option(std::string_view key, std::string_view flag, std::string_view variable, Member member,
                     std::string_view example) {
    const PolicyRow& row = *find_policy(key);
    return {.key = key,
            .flag = flag,
            .environment = {variable},
            .group = kKeeper,
            .member = member,
            .default_text = row.default_text,
            .check = check_lake_policy,
            .form = policy_form(row.kind),
            .example = example,
            .prose = row.prose};
}

std::vector<Option> keeper_options() {
    return {
        policy_option("snapshot_age", "--snapshot-age", "BOATHOUSE_SNAPSHOT_AGE", &Settings::snapshot_age, "7 days"),
        policy_option("snapshots_max", "--snapshots-max", "BOATHOUSE_SNAPSHOTS_MAX", &Settings::snapshots_max, "10000"),
        policy_option("merge_files", "--merge-files", "BOATHOUSE_MERGE_FILES", &Settings::merge_files, "32"),
        policy_option("flush_rows", "--flush-rows", "BOATHOUSE_FLUSH_ROWS", &Settings::flush_rows, "1000"),
        policy_option("flush_age", "--flush-age", "BOATHOUSE_FLUSH_AGE", &Settings::flush_age, "10 minutes"),
        policy_option("rewrite_deleted", "--rewrite-deleted", "BOATHOUSE_REWRITE_DELETED", &Settings::rewrite_deleted,
                      "0.5"),
        policy_option("cleanup_age", "--cleanup-age", "BOATHOUSE_CLEANUP_AGE", &Settings::cleanup_age, "1 week"),
        policy_option("orphan_age", "--orphan-age", "BOATHOUSE_ORPHAN_AGE", &Settings::orphan_age, "3 days"),
        policy_option("backup_retention", "--backup-retention", "BOATHOUSE_BACKUP_RETENTION",
                      &Settings::backup_retention, "14 days"),
        policy_option("consumer_age", "--consumer-age", "BOATHOUSE_CONSUMER_AGE", &Settings::consumer_age, "30 days"),
        policy_option("window", "--window", "BOATHOUSE_WINDOW", &Settings::window, "22:00-06:00"),
        {.key = "policy",
         .flag = "--policy",
         .environment = {"BOATHOUSE_POLICY"},
         .group = kKeeper,
         .member = &Settings::policy,
         .default_note = "schemas and tables have the lake's policies",
         .check = check_policy_list,
         .form = "a list with `;` between its entries",
         .example = "sales.orders.merge_files = off; sales.flush_age = 2 hours",
         .prose =
             "Policies of schemas and tables. In `boathouse.toml` they are sections instead: "
             "`[policy.\"sales.orders\"]`, and below it `merge_files = \"off\"`. A name with a dot or a space in it "
             "stands in double quotes. A table's policy counts before its schema's, and that before the lake's."},
    };
}

std::vector<Option> backup_options() {
    return {
        {.key = "backup_to",
         .flag = "--backup-to",
         .environment = {"BOATHOUSE_BACKUP_TO"},
         .group = kBackup,
         .member = &Settings::backup_to,
         .default_note = "nothing is archived",
         .shape = Shape::directory,
         .example = "/mnt/backup/lake",
         .prose = "Where this box's backups go: a directory on another disk than the data directory, which the box's "
                  "user must be able to write to, or an `s3://bucket/path` URL, with the S3 settings and keys that the "
                  "lake's files have. A box that is started with it also archives PostgreSQL's log of changes there, "
                  "so that the lake can be brought back as of any moment since the oldest backup."},
        {.key = "backup_key",
         .flag = "",
         .environment = {"BOATHOUSE_BACKUP_KEY"},
         .group = kBackup,
         .member = &Settings::backup_key,
         .default_note = "backups are not encrypted",
         .example = "what `openssl rand -hex 32` prints",
         .prose = "Key that backups are encrypted with: 64 hexadecimal digits. Keep a copy elsewhere: without it "
                  "nothing can be restored."},
        {.key = "backup_rate_mb",
         .flag = "--backup-rate-mb",
         .environment = {"BOATHOUSE_BACKUP_RATE_MB"},
         .group = kBackup,
         .member = &Settings::backup_rate_mb,
         .default_text = "64",
         .min = 0,
         .max = 1024,
         .example = "16",
         .prose = "Most that a backup reads of the catalog, in MB a second, so that it leaves room for queries. 0: as "
                  "fast as it goes."},
    };
}

std::vector<Option> all_options() {
    std::vector<Option> table;
    for (auto part : {box_options(), access_options(), catalog_options(), lake_options(), engine_options(),
                      sql_door_options(), http_door_options(), keeper_options(), backup_options()}) {
        table.insert(table.end(), part.begin(), part.end());
    }
    return table;
}

}  // namespace

const std::vector<Option>& options() {
    static const std::vector<Option> table = all_options();
    return table;
}

const Option* find_option(std::string_view key) {
    const auto& table = options();
    const auto row = std::find_if(table.begin(), table.end(), [&](const Option& option) { return option.key == key; });
    return row == table.end() ? nullptr : &*row;
}

}  // namespace boathouse::config
