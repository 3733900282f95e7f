// Events of the configuration: their names, their payloads, their audiences.
#include <limits>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/contract/emit.h"

namespace msab {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

CustomEvent ToUser(std::string name) { return {.name = std::move(name), .to_user = true}; }

const Catalog& CustomCatalog() {
  static const Catalog* const catalog =
      MakeCatalog({{.name = "App\\Events\\*", .to_user = true, .to_room = true},
                   {.name = "App\\Events\\News*", .to_everyone = true},
                   {.name = "App\\Events\\NewsFlash", .to_room = true},
                   {.name = "state", .to_user = true, .delivery = DeliveryClass::kLatest},
                   {.name = "any", .to_user = true, .to_everyone = true}})
          .release();
  return *catalog;
}

Catalog::Prepared PrepareCustom(const std::string& json) {
  return CustomCatalog().Prepare(Request(json), kNow);
}

std::string Payload(const std::string& json) {
  const auto prepared =
      PrepareCustom(R"({"target":{"user_id":1},"custom":{"name":"any","payload":)" + json + "}}");
  EXPECT_THAT(Lines(prepared.violations), IsEmpty());
  return prepared.entry == nullptr ? "refused" : prepared.entry->payload;
}

TEST(CustomEvents, FindTheExactNameElseTheLongestPattern) {
  EXPECT_EQ(CustomCatalog().Find("App\\Events\\OrderShipped")->name, "App\\Events\\*");
  EXPECT_EQ(CustomCatalog().Find("App\\Events\\")->name, "App\\Events\\*");
  EXPECT_EQ(CustomCatalog().Find("App\\Events\\NewsOfToday")->name, "App\\Events\\News*");
  EXPECT_EQ(CustomCatalog().Find("App\\Events\\NewsFlash")->name, "App\\Events\\NewsFlash");
  EXPECT_EQ(CustomCatalog().Find("App\\Other"), nullptr);
  EXPECT_EQ(CustomCatalog().Find("state2"), nullptr);
  EXPECT_EQ(CustomCatalog().Find("App\\Events\\a b"), nullptr);
  EXPECT_EQ(CustomCatalog().Find("App\\Events\\" + std::string(118, 'x')), nullptr);
}

TEST(CustomEvents, StandInTheCatalogAfterItsOwn) {
  const auto& types = CustomCatalog().types();
  EXPECT_EQ(types.size(), PlainCatalog().types().size() + 5);
  for (size_t i = 0; i < types.size(); ++i) EXPECT_EQ(types[i]->index, i);
  EXPECT_TRUE(types.back()->custom);
  EXPECT_EQ(types.back()->payload, nullptr);
}

TEST(CustomEvents, CarryTheirFullName) {
  const auto prepared = PrepareCustom(
      R"({"target":{"room_id":"42"},"custom":{"name":"App\\Events\\Shipped","payload":{"id":1}}})");
  ASSERT_NE(prepared.entry, nullptr);
  EXPECT_EQ(prepared.entry->name, "App\\Events\\Shipped");
  EXPECT_EQ(prepared.entry->type->name, "App\\Events\\*");
  EXPECT_EQ(prepared.entry->target, Target::Room("42"));
  EXPECT_EQ(prepared.entry->payload, R"({"id":1})");
}

TEST(CustomEvents, NeedATargetUnlessDeclaredForEveryoneAlone) {
  const auto prepared = PrepareCustom(R"({"custom":{"name":"App\\Events\\News1"}})");
  ASSERT_NE(prepared.entry, nullptr);
  EXPECT_EQ(prepared.entry->target, Target::Everyone());
  EXPECT_EQ(prepared.entry->payload, "{}");
  EXPECT_THAT(Lines(PrepareCustom(R"({"custom":{"name":"any"}})").violations),
              ElementsAre("target: is required: any doesn't say whom it is for; must be user_id, "
                          "user_ids, user_in_room or everyone"));
  EXPECT_THAT(
      Fields(PrepareCustom(R"({"target":{"everyone":{}},"custom":{"name":"state"}})").violations),
      ElementsAre("target"));
}

TEST(CustomEvents, RefuseOtherNames) {
  for (const char* name : {"", "unknown", "state2", "app\\\\events\\\\X"}) {
    const auto prepared = PrepareCustom(
        std::string(R"({"target":{"user_id":1},"custom":{"name":")") + name + R"("}})");
    EXPECT_THAT(Lines(prepared.violations),
                ElementsAre("custom.name: is no event of [[custom_events]] in the configuration: "
                            "must match one"));
  }
}

TEST(CustomEvents, CannotTakeANameOfTheCatalogOrTheDialectsThroughAPattern) {
  const auto all = MakeCatalog({ToUser("*")});
  const auto prepare = [&all](const std::string& name) {
    return all->Prepare(Request(R"({"target":{"user_id":1},"custom":{"name":")" + name + "\"}}"),
                        kNow);
  };
  EXPECT_NE(prepare("whatever").entry, nullptr);
  EXPECT_THAT(Lines(prepare("balance.updated").violations),
              ElementsAre("custom.name: is an event of the catalog: must be emitted as that"));
  EXPECT_EQ(prepare("ping").entry, nullptr);
  EXPECT_EQ(prepare("session:closed").entry, nullptr);
  EXPECT_EQ(all->Find("ping"), nullptr);
}

TEST(CustomPayload, IsWrittenAsGivenWithKeysInOrder) {
  EXPECT_EQ(Payload(R"({"b":1,"a":{"d":[1,"x",null,true,[]],"c":{}}})"),
            R"({"a":{"c":{},"d":[1,"x",null,true,[]]},"b":1})");
  EXPECT_EQ(Payload(R"({"n":1.0,"big":9007199254740992,"f":0.25,"neg":-3})"),
            R"({"big":9007199254740992,"f":0.25,"n":1,"neg":-3})");
  EXPECT_EQ(Payload(R"({"ключ \"q\"":"знач\n"})"), R"({"ключ \"q\"":"знач\n"})");
}

TEST(CustomPayload, RefusesWhatJsonCannotSay) {
  v1::EmitEventRequest request = Request(R"({"target":{"user_id":1},"custom":{"name":"any"}})");
  auto& fields = *request.mutable_custom()->mutable_payload()->mutable_fields();
  auto& list = *fields["list"].mutable_list_value();
  list.add_values()->set_number_value(1);
  list.add_values()->set_number_value(std::numeric_limits<double>::infinity());
  fields["nan"].set_number_value(std::numeric_limits<double>::quiet_NaN());
  fields["none"];
  EXPECT_THAT(Fields(CustomCatalog().Prepare(request, kNow).violations),
              ElementsAre("custom.payload.list[1]", "custom.payload.nan", "custom.payload.none"));
}

// A key may be as long as a payload, and there may be many faults below it, in each of many events.
TEST(CustomPayload, CutsThePathOfAFault) {
  v1::EmitEventRequest request = Request(R"({"target":{"user_id":1},"custom":{"name":"any"}})");
  std::string key = "k";
  for (int i = 0; i < 1'000; ++i) key += "ö";
  (*request.mutable_custom()->mutable_payload()->mutable_fields())[key];
  const auto violations = CustomCatalog().Prepare(request, kNow).violations;
  ASSERT_EQ(violations.size(), 1u);
  const std::string& field = violations[0].field;
  EXPECT_LE(field.size(), 256 + std::string("…").size());
  EXPECT_TRUE(field.starts_with("custom.payload.kö"));
  EXPECT_TRUE(field.ends_with("ö…")) << "cut between characters";
}

std::string Nested(int levels, const char* open, const char* close) {
  std::string json;
  for (int i = 0; i < levels; ++i) json += open;
  json += "1";
  for (int i = 0; i < levels; ++i) json += close;
  return json;
}

TEST(CustomPayload, BoundsItsDepth) {
  EXPECT_EQ(Payload(Nested(32, R"({"a":)", "}")), Nested(32, R"({"a":)", "}"));
  EXPECT_EQ(Payload(R"({"a":)" + Nested(31, "[", "]") + "}"),
            R"({"a":)" + Nested(31, "[", "]") + "}");
  for (const std::string& json :
       {Nested(33, R"({"a":)", "}"), R"({"a":)" + Nested(32, "[", "]") + "}"}) {
    const auto prepared =
        PrepareCustom(R"({"target":{"user_id":1},"custom":{"name":"any","payload":)" + json + "}}");
    ASSERT_THAT(prepared.violations, testing::SizeIs(1));
    EXPECT_EQ(prepared.violations[0].description, "is nested deeper than 32 levels");
  }
}

TEST(CustomPayload, BoundsItsSize) {
  const auto prepare = [](size_t bytes) {
    return PrepareCustom(R"({"target":{"user_id":1},"custom":{"name":"any","payload":{"a":")" +
                         std::string(bytes, 'x') + "\"}}}");
  };
  EXPECT_NE(prepare(64 * 1024 - 8).entry, nullptr);
  EXPECT_THAT(Fields(prepare(64 * 1024 - 7).violations), ElementsAre("custom.payload"));
}

TEST(CustomPayload, OfALatestEventKnowsItsFields) {
  const auto prepare = [](const std::string& payload) {
    return PrepareCustom(R"({"target":{"user_id":1},"custom":{"name":"state","payload":)" +
                         payload + "}}")
        .entry;
  };
  const auto a = prepare(R"({"a":1})");
  const auto ab = prepare(R"({"b":null,"a":2})");
  EXPECT_TRUE(ab->Carries(*a));
  EXPECT_FALSE(a->Carries(*ab));
}

struct BadName {
  const char* title;
  const char* name;
  const char* fault;
};

void PrintTo(const BadName& bad, std::ostream* out) { *out << bad.title; }

class BadNameTest : public testing::TestWithParam<BadName> {};

TEST_P(BadNameTest, IsRefusedAtStart) {
  const auto catalog = Catalog::Create({ToUser(GetParam().name)});
  EXPECT_EQ(catalog.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(catalog.status().message()), HasSubstr(GetParam().fault));
}

INSTANTIATE_TEST_SUITE_P(
    Names, BadNameTest,
    testing::Values(BadName{"empty", "", "its name must be"},
                    BadName{"space", "a b", "custom event \"a b\": its name must be"},
                    BadName{"star_inside", "a*b", "its name must be"},
                    BadName{"two_stars", "a**", "its name must be"},
                    BadName{"accent", "é", "its name must be"},
                    BadName{"of_the_catalog", "balance.updated", "the name is in the catalog"},
                    BadName{"ping", "ping", "the name is the relay's own"},
                    BadName{"connect", "connect", "the name is the relay's own"},
                    BadName{"connect_error", "connect_error", "the name is the relay's own"},
                    BadName{"disconnect", "disconnect", "the name is the relay's own"},
                    BadName{"disconnecting", "disconnecting", "the name is the relay's own"},
                    BadName{"newListener", "newListener", "the name is the relay's own"},
                    BadName{"removeListener", "removeListener", "the name is the relay's own"},
                    BadName{"welcome", "welcome", "the name is the relay's own"},
                    BadName{"auth", "auth", "the name is the relay's own"},
                    BadName{"live", "live", "the name is the relay's own"},
                    BadName{"gap", "gap", "the name is the relay's own"},
                    BadName{"session_closed", "session:closed", "the name is the relay's own"}),
    [](const auto& info) { return std::string(info.param.title); });

TEST(CustomEvents, RefuseATooLongName) {
  EXPECT_TRUE(Catalog::Create({ToUser(std::string(128, 'x'))}).ok());
  EXPECT_FALSE(Catalog::Create({ToUser(std::string(129, 'x'))}).ok());
}

TEST(CustomEvents, RefuseAPairOfOneName) {
  EXPECT_FALSE(Catalog::Create({ToUser("a"), ToUser("a")}).ok());
  EXPECT_FALSE(Catalog::Create({ToUser("a*"), ToUser("b*"), ToUser("a*")}).ok());
  EXPECT_TRUE(Catalog::Create({ToUser("a"), ToUser("a*"), ToUser("b*"), ToUser("ab*")}).ok());
}

TEST(CustomEvents, RefuseNoAudience) {
  EXPECT_THAT(std::string(Catalog::Create({{.name = "a"}}).status().message()),
              HasSubstr("custom event \"a\": has no audience"));
}

}  // namespace
}  // namespace msab
