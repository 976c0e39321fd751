#include "config/load.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "config/options.hpp"
#include "config/policy.hpp"

namespace boathouse::config {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using Texts = std::map<std::string, std::string>;

class LoadTest : public ::testing::Test {
  protected:
    LoadTest() {
        char name[] = "/tmp/boathouse-config-XXXXXX";
        dir_ = ::mkdtemp(name);
    }
    ~LoadTest() override { std::filesystem::remove_all(dir_); }

    // A file of the test's directory, readable by its owner only unless `mode` says otherwise.
    std::string write(const std::string& name, const std::string& text, mode_t mode = 0600) {
        const std::string path = dir_ + "/" + name;
        std::ofstream(path) << text;
        ::chmod(path.c_str(), mode);
        return path;
    }

    // What load() says of these, or "" when it has nothing to say. The data directory is the test's.
    std::string complaint(Texts flags, const Texts& environment = {}) {
        flags.emplace("data_dir", dir_ + "/data");
        const auto loaded = load(flags, environment);
        if (loaded) return "";
        EXPECT_EQ(loaded.error().kind, ErrorKind::configuration);
        return loaded.error().message;
    }

    Loaded loaded(Texts flags, const Texts& environment = {}) {
        flags.emplace("data_dir", dir_ + "/data");
        const auto result = load(flags, environment);
        EXPECT_TRUE(result) << result.error().message;
        return result ? *result : Loaded{};
    }

    std::string dir_;
};

TEST_F(LoadTest, DefaultsServeThisMachine) {
    const Settings settings = loaded({}).settings;
    EXPECT_EQ(settings.listen, "127.0.0.1");
    EXPECT_EQ(settings.catalog_port, 5432);
    EXPECT_EQ(settings.sql_port, 5433);
    EXPECT_EQ(settings.http_port, 8080);
    EXPECT_EQ(settings.postgres_user, "admin");
    EXPECT_EQ(settings.postgres_db, "lakehouse");
    EXPECT_EQ(settings.lake_compression, "zstd");
    EXPECT_EQ(effective_data_path(settings), dir_ + "/data/lake/");
}

TEST_F(LoadTest, FlagBeatsEnvironmentBeatsFileBeatsDefault) {
    const std::string file = write("boathouse.toml", "sql_port = 1001\nhttp_port = 1002\ncatalog_port = 1003\n");
    const Loaded out = loaded({{"config_file", file}, {"catalog_port", "3003"}},
                              {{"BOATHOUSE_HTTP_PORT", "2002"}, {"BOATHOUSE_CATALOG_PORT", "2003"}});
    EXPECT_EQ(out.settings.sql_port, 1001);
    EXPECT_EQ(out.settings.http_port, 2002);
    EXPECT_EQ(out.settings.catalog_port, 3003);
    EXPECT_EQ(out.origins.at("sql_port"), file + ":1");
    EXPECT_EQ(out.origins.at("http_port"), "environment BOATHOUSE_HTTP_PORT");
    EXPECT_EQ(out.origins.at("catalog_port"), "flag --catalog-port");
    EXPECT_EQ(out.origins.at("listen"), "default");
}

TEST_F(LoadTest, AnEmptyVariableIsNotSet) {
    const Loaded out = loaded({}, {{"POSTGRES_USER", ""}, {"AWS_REGION", ""}, {"AWS_DEFAULT_REGION", "eu-west-1"}});
    EXPECT_EQ(out.settings.postgres_user, "admin");
    EXPECT_EQ(out.settings.aws_region, "eu-west-1");
    EXPECT_EQ(out.origins.at("aws_region"), "environment AWS_DEFAULT_REGION");
}

TEST_F(LoadTest, RelativePathsMeanWhatTheyMeantToTheOperator) {
    const Loaded out = loaded({{"data_path", "some/./lake"}});
    EXPECT_EQ(out.settings.data_path, std::filesystem::current_path().string() + "/some/lake");
    EXPECT_EQ(effective_data_path(out.settings), out.settings.data_path + "/");
}

TEST_F(LoadTest, WhatIsMissingIsNamedInOneLine) {
    const std::string text = complaint({{"listen", "0.0.0.0"}}, {{"S3_BUCKET_URL", "s3://bucket/prefix"}});
    EXPECT_THAT(text, HasSubstr("Missing required configuration: POSTGRES_PASSWORD, AWS_REGION\n"));
    EXPECT_THAT(text, HasSubstr("listen is 0.0.0.0 (flag --listen)"));
    EXPECT_THAT(text, HasSubstr("the lake is in s3://bucket/prefix/"));
}

TEST_F(LoadTest, AllComplaintsComeAtOnce) {
    const std::string text = complaint({{"listen", "localhost"}, {"sql_port", "x"}, {"tls", "maybe"}},
                                       {{"DATA_PATH", "ftp://x/"}, {"POSTGRES_DB", "postgres"}});
    EXPECT_THAT(text, HasSubstr("listen (flag --listen): 'localhost' is not an IP address"));
    EXPECT_THAT(text, HasSubstr("sql_port (flag --sql-port): 'x' is not a whole number"));
    EXPECT_THAT(text, HasSubstr("tls (flag --tls): 'maybe' is not one of"));
    EXPECT_THAT(text, HasSubstr("data_path (environment DATA_PATH): 'ftp://x/' is neither"));
    EXPECT_THAT(text, HasSubstr("postgres_db (environment POSTGRES_DB): 'postgres' is a database of PostgreSQL's own"));
}

TEST_F(LoadTest, LoopbackNeedsNoPassword) {
    EXPECT_EQ(complaint({{"listen", "127.0.0.2"}}), "");
    EXPECT_EQ(complaint({{"listen", "::1"}}), "");
    EXPECT_EQ(complaint({{"listen", "0.0.0.0"}}, {{"POSTGRES_PASSWORD", "x"}}), "");
    EXPECT_THAT(complaint({{"listen", "::"}}), HasSubstr("Missing required configuration: POSTGRES_PASSWORD\n"));
}

TEST_F(LoadTest, AGeneratedPasswordDoesNotOpenTheNetwork) {
    std::filesystem::create_directories(dir_ + "/data/secrets");
    const std::string file = write("data/secrets/postgres_password", "generated\n");
    const std::string text = complaint({{"listen", "0.0.0.0"}});
    EXPECT_THAT(text, HasSubstr("Missing required configuration: POSTGRES_PASSWORD\n"));
    EXPECT_THAT(text, HasSubstr("POSTGRES_PASSWORD_FILE=" + file));
    EXPECT_THAT(text, Not(HasSubstr("is generated\n")));
    EXPECT_EQ(complaint({{"listen", "0.0.0.0"}}, {{"POSTGRES_PASSWORD_FILE", file}}), "");
}

TEST_F(LoadTest, ThePasswordMayComeFromAFile) {
    const std::string file = write("password", "it's a secret\r\n");
    const Loaded out = loaded({}, {{"POSTGRES_PASSWORD_FILE", file}});
    EXPECT_EQ(out.settings.postgres_password.reveal(), "it's a secret");
    EXPECT_EQ(out.origins.at("postgres_password"), file);
}

TEST_F(LoadTest, APasswordFileMustHoldAPassword) {
    EXPECT_THAT(complaint({}, {{"POSTGRES_PASSWORD_FILE", write("empty", "\n")}}),
                HasSubstr("postgres_password_file (environment POSTGRES_PASSWORD_FILE): " + dir_ + "/empty is empty"));
    EXPECT_THAT(complaint({}, {{"POSTGRES_PASSWORD_FILE", dir_ + "/none"}}),
                HasSubstr(dir_ + "/none cannot be read: No such file or directory"));
    EXPECT_THAT(complaint({}, {{"POSTGRES_PASSWORD_FILE", dir_}}), HasSubstr(dir_ + " cannot be read"));
    EXPECT_THAT(complaint({}, {{"POSTGRES_PASSWORD_FILE", write("long", std::string(1025, 'x'))}}),
                HasSubstr("is longer than 1024 bytes"));
    EXPECT_THAT(
        complaint({}, {{"POSTGRES_PASSWORD_FILE", write("one", "x")}, {"POSTGRES_PASSWORD", "hunter2"}}),
        AllOf(HasSubstr("postgres_password is given too (environment POSTGRES_PASSWORD)"), Not(HasSubstr("hunter2"))));
}

TEST_F(LoadTest, S3NeedsARegionAndWholeKeys) {
    const Texts region = {{"S3_BUCKET_URL", "s3://bucket/"}, {"AWS_REGION", "eu-central-1"}};
    EXPECT_EQ(complaint({}, region), "");  // the credential chain
    Texts id = region, secret = region;
    id["AWS_ACCESS_KEY_ID"] = "AKIA";
    secret["AWS_SECRET_ACCESS_KEY"] = "hunter2";
    EXPECT_THAT(complaint({}, id), HasSubstr("Missing required configuration: AWS_SECRET_ACCESS_KEY\n"));
    EXPECT_THAT(complaint({}, secret),
                AllOf(HasSubstr("Missing required configuration: AWS_ACCESS_KEY_ID\n"), Not(HasSubstr("hunter2"))));
    EXPECT_THAT(complaint({}, {{"S3_BUCKET_URL", "s3://bucket/"}}),
                HasSubstr("Missing required configuration: AWS_REGION\n"));
    EXPECT_EQ(complaint({}, {{"AWS_ACCESS_KEY_ID", "AKIA"}}), "");  // a local lake has no use for it
}

TEST_F(LoadTest, MalformedS3UrlsAreTold) {
    const Texts region = {{"AWS_REGION", "eu-central-1"}};
    EXPECT_THAT(complaint({{"s3_bucket_url", "bucket/x"}}, region), HasSubstr("must begin with s3://"));
    EXPECT_THAT(complaint({{"s3_bucket_url", "s3:///x"}}, region), HasSubstr("names no bucket"));
    EXPECT_THAT(complaint({{"s3_bucket_url", "s3://a b/x"}}, region), HasSubstr("'a b' is no bucket name"));
    EXPECT_THAT(complaint({{"data_path", "s3://bucket//x"}}, region), HasSubstr("empty folder name"));
    EXPECT_THAT(complaint({{"data_path", "s3://bucket/x?y=1"}}, region), HasSubstr("holds one of ? # *"));
    EXPECT_THAT(complaint({{"data_path", "s3://bucket/"}, {"s3_endpoint", "http://minio:9000"}}, region),
                HasSubstr("must be host:port alone"));
    EXPECT_THAT(complaint({{"data_path", "/srv/lake"}}, {{"S3_BUCKET_URL", "s3://bucket/"}}),
                HasSubstr("data_path (flag --data-path): is /srv/lake, but s3_bucket_url (environment S3_BUCKET_URL)"));
    EXPECT_EQ(complaint({{"data_path", "s3://bucket/x"}, {"s3_bucket_url", "s3://bucket/x/"}}, region), "");
}

TEST_F(LoadTest, DoorsNeedPortsOfTheirOwn) {
    EXPECT_THAT(complaint({{"sql_port", "5432"}}),
                HasSubstr("sql_port (flag --sql-port): port 5432 is catalog_port already (default)"));
    EXPECT_EQ(complaint({{"sql_port", "5432"}, {"catalog", "postgresql://u@db.example.com/lakehouse"}}), "");
}

TEST_F(LoadTest, ACertificateNeedsItsKey) {
    const std::string pem = write("pem", "x");
    EXPECT_THAT(complaint({{"tls_cert_file", pem}}), HasSubstr("Missing required configuration: tls_key_file\n"));
    EXPECT_THAT(complaint({{"tls_key_file", pem}}), HasSubstr("Missing required configuration: tls_cert_file\n"));
    EXPECT_THAT(complaint({{"tls_cert_file", pem}, {"tls_key_file", pem}, {"tls", "off"}}),
                HasSubstr("tls (flag --tls): is off, and a certificate is given"));
    EXPECT_THAT(complaint({{"tls_cert_file", pem}, {"tls_key_file", dir_ + "/none"}}),
                HasSubstr("none cannot be read: No such file or directory"));
    EXPECT_EQ(complaint({{"tls_cert_file", pem}, {"tls_key_file", pem}, {"tls", "require"}}), "");
}

TEST_F(LoadTest, ACommandLineIsNoPlaceForACatalogsPassword) {
    const std::string url = "postgresql://u:hunter2@db.example.com/lakehouse";
    EXPECT_THAT(complaint({{"catalog", url}}), AllOf(HasSubstr("process list"), Not(HasSubstr("hunter2"))));
    EXPECT_THAT(complaint({{"catalog", "postgresql://u@h/d?password=hunter2"}}), HasSubstr("process list"));
    EXPECT_EQ(complaint({}, {{"BOATHOUSE_CATALOG", url}}), "");
    EXPECT_EQ(complaint({{"catalog", "postgresql://u@db.example.com/lakehouse"}}), "");
}

TEST_F(LoadTest, AMalformedCatalogIsToldWithoutRepeatingIt) {
    const auto said = [&](const char* url) { return complaint({}, {{"BOATHOUSE_CATALOG", url}}); };
    EXPECT_THAT(said("postgresql://u:hun#ter2@h/d e"), AllOf(HasSubstr("is not a URL"), Not(HasSubstr("ter2"))));
    EXPECT_THAT(said("mysql://u@h/d"), HasSubstr("must begin with postgresql://"));
    EXPECT_THAT(complaint({{"catalog", "mysql://u@h/d"}}), HasSubstr("must begin with postgresql://"));
    EXPECT_THAT(said("postgresql:///d"), HasSubstr("names no host"));
    EXPECT_THAT(said("postgresql://u@h"), HasSubstr("names no database"));
}

TEST_F(LoadTest, RolesThatAreTakenAreRefused) {
    EXPECT_THAT(complaint({{"postgres_user", "boathouse"}}), HasSubstr("keeps for itself"));
    EXPECT_THAT(complaint({{"postgres_user", "pg_monitor"}}), HasSubstr("keeps for itself"));
    EXPECT_THAT(complaint({{"postgres_user", std::string(64, 'x')}}), HasSubstr("longer than PostgreSQL's 63 bytes"));
    EXPECT_THAT(complaint({{"postgres_db", ""}}), HasSubstr("postgres_db (flag --postgres-db): must not be empty"));
}

TEST_F(LoadTest, TheFileIsToldByLineAndKey) {
    const std::string file = write("boathouse.toml",
                                   "# a comment\n"
                                   "catalog_prot = 5432\n"
                                   "sql_port = \"5433\"\n"
                                   "http_port = 99999\n"
                                   "listen = 127\n"
                                   "[s3]\n"
                                   "region = 'x'\n");
    const std::string text = complaint({{"config_file", file}});
    EXPECT_THAT(text, HasSubstr(file + ":2: unknown key catalog_prot (did you mean catalog_port?)"));
    EXPECT_THAT(text, HasSubstr(file + ":3: sql_port must be a whole number"));
    EXPECT_THAT(text, HasSubstr("http_port (" + file + ":4): '99999' is not between 1 and 65535"));
    EXPECT_THAT(text, HasSubstr(file + ":5: listen must be a text in quotes"));
    EXPECT_THAT(text, HasSubstr(file + ":6: [s3] is a section"));
}

TEST_F(LoadTest, AFileThatDoesNotParseIsToldByLine) {
    const std::string file = write("boathouse.toml", "listen = \"127.0.0.1\"\nsql_port = = 3\n");
    EXPECT_THAT(complaint({{"config_file", file}}), HasSubstr(file + ":2:"));
    EXPECT_THAT(complaint({{"config_file", dir_ + "/none.toml"}}),
                HasSubstr("the configuration file " + dir_ + "/none.toml cannot be read: No such file or directory"));
    EXPECT_THAT(complaint({{"config_file", dir_}}), HasSubstr("is a directory"));
}

TEST_F(LoadTest, SecretsBelongInAPrivateFile) {
    const std::string text = "listen = '127.0.0.1'\npostgres_password = 'hunter2'\n";
    EXPECT_THAT(complaint({{"config_file", write("open.toml", text, 0644)}}),
                AllOf(HasSubstr("open.toml:2: postgres_password is a secret"), HasSubstr("chmod 600"),
                      Not(HasSubstr("hunter2"))));
    EXPECT_EQ(complaint({{"config_file", write("private.toml", text, 0600)}}), "");
    EXPECT_EQ(complaint({{"config_file", write("plain.toml", "listen = '127.0.0.1'\n", 0644)}}), "");
}

TEST_F(LoadTest, UnknownVariablesAreWarnedOf) {
    const Loaded out = loaded({}, {{"BOATHOUSE_CATALOG_PROT", "1"},
                                   {"BOATHOUSE_SERVICE_HOST", "10.0.0.1"},
                                   {"BOATHOUSE_PORT_5432_TCP_ADDR", "10.0.0.1"}});
    ASSERT_EQ(out.warnings.size(), 1U);
    EXPECT_EQ(out.warnings[0],
              "the environment variable BOATHOUSE_CATALOG_PROT means nothing to Boathouse "
              "(did you mean BOATHOUSE_CATALOG_PORT?)");
}

TEST_F(LoadTest, WithoutAHomeTheDataDirectoryIsMissing) {
    if (::geteuid() == 0) {
        const auto out = load({}, {});
        ASSERT_TRUE(out);
        EXPECT_EQ(out->settings.data_dir, "/var/lib/boathouse");
        return;
    }
    const auto out = load({}, {});
    ASSERT_FALSE(out);
    EXPECT_THAT(out.error().message, HasSubstr("Missing required configuration: data_dir\n"));
    EXPECT_EQ(load({}, {{"HOME", "/home/x"}})->settings.data_dir, "/home/x/.local/share/boathouse");
}

TEST_F(LoadTest, AnEndpointOfOnesOwnIsAddressedByPath) {
    EXPECT_EQ(loaded({}).settings.s3_url_style, "vhost");
    EXPECT_EQ(loaded({{"s3_endpoint", "10.0.0.1:9000"}}).settings.s3_url_style, "path");
    const Loaded given = loaded({{"s3_endpoint", "store.example"}, {"s3_url_style", "vhost"}});
    EXPECT_EQ(given.settings.s3_url_style, "vhost");
}

TEST_F(LoadTest, TheHandOverGivesTheSameSettings) {
    const std::string file = write("boathouse.toml", "http_port = 1002\n");
    const std::string password = write("password", "pass word\n");
    const Loaded first = loaded({{"config_file", file}, {"listen", "0.0.0.0"}, {"s3_use_ssl", "false"}},
                                {{"POSTGRES_PASSWORD_FILE", password},
                                 {"S3_BUCKET_URL", "s3://bucket/prefix"},
                                 {"AWS_DEFAULT_REGION", "eu-west-1"},
                                 {"AWS_ACCESS_KEY_ID", "id"},
                                 {"AWS_SECRET_ACCESS_KEY", "secret"}});
    // The engine may be unable to read what the supervisor read as root.
    std::filesystem::remove(file);
    std::filesystem::remove(password);
    Texts environment;
    for (const auto& [name, text] : to_environment(first.settings)) environment[name] = text;
    const auto second = load({}, environment);
    ASSERT_TRUE(second) << second.error().message;
    for (const Option& option : options()) {
        EXPECT_EQ(get_value(option, second->settings), get_value(option, first.settings)) << option.key;
    }
    EXPECT_EQ(second->settings.postgres_password.reveal(), "pass word");
}

TEST_F(LoadTest, PoliciesComeFromTheFileWithTheirPlaces) {
    const std::string file = write("boathouse.toml",
                                   "merge_files = 32\nrewrite_deleted = 0.5\nsnapshot_age = \"7 days\"\n"
                                   "[policy.sales]\nflush_rows = 500\n"
                                   "[policy.\"sales.orders\"]\nmerge_files = \"off\"\n"
                                   "[policy.'\"my.schema\".orders']\nflush_age = \"2 hours\"\n");
    const Loaded out = loaded({{"config_file", file}}, {{"BOATHOUSE_SNAPSHOT_AGE", "8 days"}});
    const auto told = [](const Loaded& of) {
        std::vector<std::string> lines;
        for (const PolicySetting& one : given_policies(of))
            lines.push_back(to_text(one.scope) + " " + one.key + " " + one.value + " " + one.origin);
        return lines;
    };
    const std::vector<std::string> expected = {"lake snapshot_age 8 days environment BOATHOUSE_SNAPSHOT_AGE",
                                               "lake merge_files 32 " + file + ":1",
                                               "lake rewrite_deleted 0.5 " + file + ":2",
                                               "table \"my.schema\".orders flush_age 2 hours " + file + ":9",
                                               "schema sales flush_rows 500 " + file + ":5",
                                               "table sales.orders merge_files off " + file + ":7"};
    EXPECT_THAT(told(out), ::testing::ElementsAreArray(expected));
    EXPECT_THAT(complaint({{"config_file", write("empty.toml", "flush_age = \"\"\n")}}),
                HasSubstr("'' is not a duration"));
    Texts environment;
    for (const auto& [name, value] : to_environment(out.settings, out.origins)) environment[name] = value;
    EXPECT_THAT(told(load({}, environment).value()), ::testing::ElementsAreArray(expected)) << "handed over";
    const Loaded listed = loaded({{"config_file", file}}, {{"BOATHOUSE_POLICY", "sales.flush_rows = 3"}});
    EXPECT_THAT(told(listed), ::testing::Contains("schema sales flush_rows 3 environment BOATHOUSE_POLICY"));
    EXPECT_THAT(told(listed), ::testing::SizeIs(4)) << "of two lists one counts";
    EXPECT_TRUE(given_policies(loaded({})).empty());
}

TEST_F(LoadTest, WhatIsWrongWithPoliciesIsToldAtOnceAndByLine) {
    const std::string file = write("boathouse.toml",
                                   "merge_files = 0\nsnapshot_age = true\nmerge_file = 3\n"
                                   "[policy]\nflush_age = \"1 hour\"\n"
                                   "[policy.sales]\nsnapshot_age = \"7 days\"\nflushrows = 3\nflush_age = \"soon\"\n"
                                   "[policy.sales.orders]\nmerge_files = 3\n"
                                   "[policy.\"a.b.c\"]\nmerge_files = 3\n");
    const std::string text = complaint({{"config_file", file}});
    for (const std::string& part :
         {"merge_files (" + file + ":1): '0' is not a whole number above 0, nor off",
          file + ":2: snapshot_age must be a duration", file + ":3: unknown key merge_file (did you mean merge_files?)",
          file + ":5: flush_age stands in [policy] itself",
          file + ":7: [policy.sales] snapshot_age is the whole lake's",
          file + ":8: [policy.sales] there is no policy \"flushrows\" (did you mean flush_rows?)",
          file + ":9: [policy.sales] flush_age cannot be \"soon\"",
          file + ":10: [policy.sales.orders] is one section too deep", file + ":12: [policy.a.b.c] names neither"})
        EXPECT_THAT(text, HasSubstr(part));
}

}  // namespace
}  // namespace boathouse::config
