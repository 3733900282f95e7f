// Declarations that the relay can't honour: it refuses to start, and says what is wrong where.
#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "google/protobuf/compiler/parser.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/descriptor.pb.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "gtest/gtest.h"
#include "msab/v1/event_service.pb.h"
#include "server/contract/catalog.h"

namespace msab {
namespace {

using testing::HasSubstr;

// A .proto given as text, beside those of the binary.
class Declared {
 public:
  explicit Declared(const std::string& body) : pool_(Underlay()) {
    const std::string text = R"(
        syntax = "proto3";
        package test;
        import "google/protobuf/struct.proto";
        import "msab/v1/options.proto";
        )" + body;
    google::protobuf::io::ArrayInputStream stream(text.data(), static_cast<int>(text.size()));
    google::protobuf::io::Tokenizer tokenizer(&stream, nullptr);
    google::protobuf::FileDescriptorProto file;
    google::protobuf::compiler::Parser parser;
    EXPECT_TRUE(parser.Parse(&tokenizer, &file)) << text;
    file.set_name("test.proto");
    file_ = pool_.BuildFile(file);
    EXPECT_NE(file_, nullptr) << text;
  }

  std::string RefusalOfEvents() const {
    return Message(Catalog::CreateFrom(*file_->FindMessageTypeByName("Request"), *file_, {}));
  }

  std::string RefusalOfCommands() const {
    return Message(Catalog::CreateFrom(*v1::EmitEventRequest::descriptor(), *file_, {}));
  }

 private:
  static const google::protobuf::DescriptorPool* Underlay() {
    v1::EmitEventRequest::descriptor();  // and with it the options, into the generated pool
    return google::protobuf::DescriptorPool::generated_pool();
  }

  static std::string Message(const absl::StatusOr<std::unique_ptr<const Catalog>>& catalog) {
    if (catalog.ok()) return "accepted";
    EXPECT_EQ(catalog.status().code(), absl::StatusCode::kFailedPrecondition);
    return std::string(catalog.status().message());
  }

  google::protobuf::DescriptorPool pool_;
  const google::protobuf::FileDescriptor* file_ = nullptr;
};

constexpr char kRequest[] = "message Request { oneof event { Thing thing = 1; } } ";
constexpr char kUserEvent[] =
    R"(option (msab.v1.event) = { name: "thing" audiences: [ AUDIENCE_USER ]
                                  delivery: DELIVERY_DURABLE }; )";

// An event with these fields.
std::string Thing(const std::string& fields) {
  return std::string(kRequest) + "message Thing { " + kUserEvent + fields + " }";
}

// An event with this one field's options.
std::string Field(const std::string& type, const std::string& rules) {
  return Thing(type + R"( f = 1 [json_name = "f", (msab.v1.field) = { )" + rules + " }];");
}

struct Fault {
  const char* title;
  std::string body;
  const char* message;
};

void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.title; }

std::string Title(const testing::TestParamInfo<Fault>& info) { return info.param.title; }

class EventFaultTest : public testing::TestWithParam<Fault> {};

TEST_P(EventFaultTest, IsSaid) {
  EXPECT_THAT(Declared(GetParam().body).RefusalOfEvents(), HasSubstr(GetParam().message));
}

TEST(Declaration, IsAcceptedWhenRight) {
  EXPECT_EQ(Declared(Thing(R"(optional int64 user_id = 1 [json_name = "user_id", (msab.v1.field) =
                                  { required: true, format: FORMAT_ID, names: AUDIENCE_USER }];
                              optional bool flag = 2 [json_name = "flag"];
                              optional double factor = 3 [json_name = "factor"];
                              repeated double more = 4 [json_name = "more"];)"))
                .RefusalOfEvents(),
            "accepted");
}

INSTANTIATE_TEST_SUITE_P(
    Events, EventFaultTest,
    testing::Values(
        Fault{"no_oneof", "message Request {}", "test.Request: has no oneof \"event\""},
        Fault{"no_message", "message Request { oneof event { string thing = 1; } }",
              "test.Request.thing: must be a message"},
        Fault{"no_event", std::string(kRequest) + "message Thing {}",
              "test.Thing: declares no event"},
        Fault{"no_name",
              std::string(kRequest) +
                  R"(message Thing { option (msab.v1.event) = { audiences: [ AUDIENCE_USER ]
                                                               delivery: DELIVERY_DURABLE }; })",
              "test.Thing: its event's name must be"},
        Fault{"bad_name",
              std::string(kRequest) +
                  R"(message Thing { option (msab.v1.event) = { name: "a thing" }; })",
              "test.Thing: its event's name must be"},
        Fault{"reserved_name",
              std::string(kRequest) +
                  R"(message Thing { option (msab.v1.event) = { name: "welcome" }; })",
              "test.Thing: the name welcome is the relay's own"},
        Fault{"no_audience",
              std::string(kRequest) +
                  R"(message Thing { option (msab.v1.event) = { name: "thing"
                                                               delivery: DELIVERY_DURABLE }; })",
              "test.Thing: its event has no audience"},
        Fault{"unspecified_audience",
              std::string(kRequest) +
                  R"(message Thing { option (msab.v1.event) = {
                       name: "thing" audiences: [ AUDIENCE_UNSPECIFIED ]
                       delivery: DELIVERY_DURABLE }; })",
              "test.Thing: its event names an audience that there is not"},
        Fault{"no_delivery",
              std::string(kRequest) +
                  R"(message Thing { option (msab.v1.event) = {
                       name: "thing" audiences: [ AUDIENCE_USER ] }; })",
              "test.Thing: its event has no delivery"},
        Fault{"two_of_one_name",
              std::string("message Request { oneof event { A thing = 1; B other = 2; } } ") +
                  "message A { " + kUserEvent + "} message B { " + kUserEvent + "}",
              "test.Request.other: must be called thing, after the event thing"},
        Fault{"misnamed_field",
              std::string("message Request { oneof event { Thing thin = 1; } } message Thing { ") +
                  kUserEvent + "}",
              "test.Request.thin: must be called thing, after the event thing"},
        Fault{"names_that_collide",
              R"(message Request { oneof event { A a_b = 1; } }
                 message A { option (msab.v1.event) = { name: "a.b" audiences: [ AUDIENCE_USER ]
                                                        delivery: DELIVERY_DURABLE }; }
                 message B { option (msab.v1.event) = { name: "a:b" audiences: [ AUDIENCE_USER ]
                                                        delivery: DELIVERY_DURABLE }; })",
              "test.B: declares an event that test.Request.event has no field for"}),
    Title);

INSTANTIATE_TEST_SUITE_P(
    Fields, EventFaultTest,
    testing::Values(
        Fault{"implicit_json_name", Thing("optional string f = 1;"),
              "test.Thing.f: its json_name must be written out"},
        Fault{"odd_json_name", Thing(R"(optional string f = 1 [json_name = "a-b"];)"),
              "test.Thing.f: its json_name must be letters"},
        Fault{"no_presence", Thing(R"(string f = 1 [json_name = "f"];)"),
              "test.Thing.f: a single scalar must be optional"},
        Fault{"unsigned", Field("optional uint64", ""),
              "test.Thing.f: payloads are made of bool, int32"},
        Fault{"bytes", Field("optional bytes", ""), "test.Thing.f: payloads are made of"},
        Fault{"float", Field("optional float", ""), "test.Thing.f: payloads are made of"},
        Fault{"enum", Field("optional msab.v1.Audience", ""), "test.Thing.f: payloads are made of"},
        Fault{"map", Field("map<string, string>", ""), "test.Thing.f: a map must be spread"},
        Fault{"oneof", Thing(R"(oneof of { string f = 1 [json_name = "f"]; })"),
              "test.Thing.f: payloads have no oneof"},
        Fault{"contains_itself", Thing(R"(optional Thing f = 1 [json_name = "f"];)"),
              "test.Thing: contains itself"},
        Fault{
            "nested",
            Thing(R"(message In { optional string g = 1; } optional In f = 1 [json_name = "f"];)"),
            "test.Thing.In.g: its json_name must be written out"},
        Fault{"required_and_nullable", Field("optional string", "required: true nullable: true"),
              "test.Thing.f: required and nullable exclude each other"},
        Fault{"required_list", Field("repeated string", "required: true"),
              "test.Thing.f: required and nullable are not for repeated fields"},
        Fault{"id_as_text", Field("optional string", "format: FORMAT_ID"),
              "test.Thing.f: FORMAT_ID is for int64 fields"},
        Fault{"id_too_small", Field("optional int32", "format: FORMAT_ID"),
              "test.Thing.f: FORMAT_ID is for int64 fields"},
        Fault{"decimal_as_number", Field("optional int64", "format: FORMAT_DECIMAL"),
              "test.Thing.f: FORMAT_DECIMAL is for string fields"},
        Fault{"format_and_length", Field("optional string", "format: FORMAT_DECIMAL max_bytes: 9"),
              "test.Thing.f: a format and another rule"},
        Fault{"length_of_a_number", Field("optional int64", "max_bytes: 9"),
              "test.Thing.f: a length is for string fields"},
        Fault{"range_of_a_text", Field("optional string", "min: 1"),
              "test.Thing.f: min and max are for int32 and int64 fields"},
        Fault{"items_of_one", Field("optional string", "max_items: 9"),
              "test.Thing.f: min_items and max_items are for repeated fields"},
        Fault{"set_of_numbers", Field("optional int64", R"(allowed: ["1"])"),
              "test.Thing.f: allowed is for string fields"},
        Fault{"least_over_most", Field("optional string", "min_bytes: 2 max_bytes: 1"),
              "test.Thing.f: a least is greater than its most"},
        Fault{"range_outside_its_type", Field("optional int32", "min: 4294967296"),
              "test.Thing.f: a least is greater than its most"},
        Fault{"spread_of_strings", Field("map<string, string>", "spread: true"),
              "test.Thing.f: spread is for map<string, google.protobuf.Value>"},
        Fault{"default_with_required", Field("optional string", R"(required: true default: "x")"),
              "test.Thing.f: a default is for"},
        Fault{"default_outside_its_rule", Field("optional int32", R"(max: 9 default: "10")"),
              "test.Thing.f: its default breaks its own rules"},
        Fault{"default_no_number", Field("optional int32", R"(default: "ten")"),
              "test.Thing.f: its default breaks its own rules"},
        Fault{"names_a_text_user",
              Field("optional string", "required: true max_bytes: 9 names: AUDIENCE_USER"),
              "test.Thing.f: names takes AUDIENCE_USER on a FORMAT_ID"},
        Fault{"names_everyone",
              Field("optional int64", "required: true format: FORMAT_ID names: AUDIENCE_EVERYONE"),
              "test.Thing.f: names takes"},
        Fault{"names_but_optional",
              Field("optional int64", "format: FORMAT_ID names: AUDIENCE_USER"),
              "test.Thing.f: names is for required fields"},
        Fault{"names_a_room_of_a_user_event",
              Field("optional int64", "required: true format: FORMAT_ID names: AUDIENCE_ROOM"),
              "test.Thing.f: names an audience that its event doesn't declare"},
        Fault{"names_twice", Thing(R"(optional int64 a = 1 [json_name = "a", (msab.v1.field) =
                           { required: true, format: FORMAT_ID, names: AUDIENCE_USER }];
                       optional int64 b = 2 [json_name = "b", (msab.v1.field) =
                           { required: true, format: FORMAT_ID, names: AUDIENCE_USER }];)"),
              "test.Thing.b: a second field with names"},
        Fault{"names_inside",
              Thing(R"(message In { optional int64 g = 1 [json_name = "g", (msab.v1.field) =
                           { required: true, format: FORMAT_ID, names: AUDIENCE_USER }]; }
                       optional In f = 1 [json_name = "f"];)"),
              "test.Thing.In.g: names is for required fields of the event's own message"}),
    Title);

class CommandFaultTest : public testing::TestWithParam<Fault> {};

TEST_P(CommandFaultTest, IsSaid) {
  EXPECT_THAT(Declared(GetParam().body).RefusalOfCommands(), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Commands, CommandFaultTest,
    testing::Values(
        Fault{"no_name", R"(message C { option (msab.v1.command) = { answer: "C" }; })",
              "test.C: its command has no name"},
        Fault{"no_answer", R"(message C { option (msab.v1.command) = { name: "c" answer: "D" }; })",
              "test.C: its answer \"D\" is no message of test.proto"},
        Fault{"two_of_one_name",
              R"(message A {} message C { option (msab.v1.command) = { name: "c" answer: "A" }; }
                 message D { option (msab.v1.command) = { name: "c" answer: "A" }; })",
              "test.D: c is also test.C"},
        Fault{"no_such_choice",
              R"(message A {} message C { option (msab.v1.command) =
                   { name: "c" answer: "A" exactly_one_of: [ "f" ] }; })",
              "test.C: exactly_one_of: \"f\" is no field that may be absent"},
        Fault{"choice_that_is_required",
              R"(message A {} message C { option (msab.v1.command) =
                   { name: "c" answer: "A" exactly_one_of: [ "f" ] };
                   optional string f = 1 [json_name = "f", (msab.v1.field) = { required: true }]; })",
              "test.C: exactly_one_of: \"f\" is no field that may be absent"},
        Fault{"names",
              R"(message A {} message C { option (msab.v1.command) = { name: "c" answer: "A" };
                   optional int64 f = 1 [json_name = "f", (msab.v1.field) =
                     { required: true, format: FORMAT_ID, names: AUDIENCE_USER }]; })",
              "test.C: names is for events"},
        Fault{"spread",
              R"(message A {} message C { option (msab.v1.command) = { name: "c" answer: "A" };
                   map<string, google.protobuf.Value> f = 1 [(msab.v1.field) = { spread: true }]; })",
              "test.C: spread is for what the relay writes"}),
    Title);

}  // namespace
}  // namespace msab
