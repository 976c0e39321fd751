// The error documents are those that Amazon S3's documentation and servers give; ids are shortened.
#include "engine/store_error.hpp"

#include <gmock/gmock.h>

namespace boathouse::engine {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct Case {
    const char* name;
    int status;
    const char* body;
    const char* text;
    ErrorKind kind;
    const char* in_message;
    const char* in_hint;
};

std::ostream& operator<<(std::ostream& stream, const Case& given) {
    return stream << given.name;
}

class StoreError : public ::testing::TestWithParam<Case> {};

TEST_P(StoreError, SaysWhatToChange) {
    config::Settings settings;
    settings.aws_region = "eu-west-1";
    settings.aws_access_key_id = Secret("AKIAIOSFODNN7EXAMPLE");
    settings.aws_secret_access_key = Secret("wJalrXUtnFEMI/K7MDENG");
    const Error error = explain_store_error({GetParam().status, GetParam().body, GetParam().text}, settings,
                                            "s3://lake/prefix/", "write");
    EXPECT_EQ(error.kind, GetParam().kind);
    EXPECT_THAT(error.message, HasSubstr(GetParam().in_message));
    EXPECT_THAT(error.hint, HasSubstr(GetParam().in_hint));
    EXPECT_THAT(error.text(), Not(HasSubstr("AKIAIOSFODNN7EXAMPLE")));
    EXPECT_THAT(error.text(), Not(HasSubstr("wJalrXUtnFEMI")));
}

constexpr auto kConfiguration = ErrorKind::configuration;

INSTANTIATE_TEST_SUITE_P(
    Replies, StoreError,
    ::testing::Values(
        Case{
            "NoSuchBucket", 404,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NoSuchBucket</Code><Message>The specified bucket "
            "does not exist</Message><BucketName>lake</BucketName><RequestId>X</RequestId></Error>",
            "", kConfiguration, "the bucket \"lake\" does not exist at Amazon S3", "Create the bucket"},
        Case{"AccessDenied", 403,
             "<Error><Code>AccessDenied</Code><Message>User: arn:aws:iam::1:user/box is not authorized to perform: "
             "s3:PutObject</Message><RequestId>X</RequestId></Error>",
             "", ErrorKind::permission, "denies the box to write s3://lake/prefix/", "s3:PutObject"},
        Case{"InvalidAccessKeyId", 403,
             "<Error><Code>InvalidAccessKeyId</Code><Message>The AWS Access Key Id you provided does not exist in our "
             "records.</Message><AWSAccessKeyId>AKIAIOSFODNN7EXAMPLE</AWSAccessKeyId></Error>",
             "", kConfiguration, "does not know the access key id …MPLE", "AWS_ACCESS_KEY_ID"},
        Case{"SignatureDoesNotMatch", 403,
             "<Error><Code>SignatureDoesNotMatch</Code><Message>The request signature we calculated does not match the "
             "signature you provided.</Message></Error>",
             "", kConfiguration, "the secret does not belong to it", "AWS_SECRET_ACCESS_KEY"},
        Case{"WrongRegionInTheSignature", 400,
             "<Error><Code>AuthorizationHeaderMalformed</Code><Message>The authorization header is malformed; the "
             "region "
             "'eu-west-1' is wrong; expecting 'us-east-2'</Message><Region>us-east-2</Region></Error>",
             "", kConfiguration, "the bucket is in \"us-east-2\"", "AWS_REGION=us-east-2"},
        Case{"PermanentRedirect", 301,
             "<Error><Code>PermanentRedirect</Code><Message>The bucket you are attempting to access must be addressed "
             "using the specified endpoint.</Message><Endpoint>lake.s3.amazonaws.com</Endpoint></Error>",
             "", kConfiguration, "AWS_REGION is \"eu-west-1\"", "AWS_REGION"},
        Case{"RedirectWithoutBody", 301, "", "HTTP 301", kConfiguration, "wrong region", "AWS_REGION"},
        Case{"ExpiredToken", 400,
             "<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>", "",
             kConfiguration, "session token is not valid", "AWS_SESSION_TOKEN"},
        Case{"Clock", 403,
             "<Error><Code>RequestTimeTooSkewed</Code><Message>The difference is too large.</Message></Error>", "",
             kConfiguration, "clock", "NTP"},
        Case{"Full", 507, "<Error><Code>XMinioStorageFull</Code></Error>", "", ErrorKind::limit, "is full", "space"},
        Case{"SlowDown", 503, "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>",
             "", ErrorKind::unavailable, "SlowDown, HTTP 503", "its own log"},
        Case{"ForbiddenWithoutBody", 403, "", "HTTP 403", ErrorKind::permission, "HTTP 403", "may do in the bucket"},
        Case{"CodeInTheClientsWordsOnly", 403, "", "Forbidden (HTTP code 403) SignatureDoesNotMatch: The request",
             kConfiguration, "the secret does not belong to it", "AWS_SECRET_ACCESS_KEY"},
        Case{"Refused", 0, "", "Could not connect to server error for HTTP PUT to 'http://h'", ErrorKind::unavailable,
             "cannot be reached", "S3_ENDPOINT"},
        Case{"NoSuchHost", 0, "", "Could not resolve hostname error for HTTP PUT", ErrorKind::unavailable,
             "cannot be resolved", "DNS"},
        Case{"PlainHttp", 0, "", "SSL connect error error for HTTP PUT", kConfiguration, "does not speak TLS",
             "S3_USE_SSL=false"},
        Case{"Untrusted", 0, "", "SSL peer certificate or SSH remote key was not OK error for HTTP PUT", kConfiguration,
             "is not trusted", "update-ca-certificates"},
        Case{"Silent", 0, "", "Timeout was reached error for HTTP PUT", ErrorKind::unavailable, "does not answer",
             "firewall"}),
    [](const auto& given) { return given.param.name; });

TEST(StoreErrorBucket, IsTheFirstPartOfTheUrl) {
    EXPECT_EQ(bucket_of("s3://lake/prefix/"), "lake");
    EXPECT_EQ(bucket_of("s3://lake"), "lake");
    EXPECT_EQ(bucket_of("/a/local/path"), "");
}

}  // namespace
}  // namespace boathouse::engine
