// Whom an emit goes to: derived, given, contradicting, missing.
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/contract/emit.h"

namespace msab {
namespace {

using testing::ElementsAre;

struct Addressed {
  const char* title;
  const char* emit;
  Target target;
};

void PrintTo(const Addressed& addressed, std::ostream* out) { *out << addressed.title; }

class AddressedTest : public testing::TestWithParam<Addressed> {};

TEST_P(AddressedTest, GoesThere) {
  const Catalog::Prepared prepared = Prepare(GetParam().emit);
  EXPECT_THAT(Lines(prepared.violations), testing::IsEmpty());
  ASSERT_NE(prepared.entry, nullptr);
  EXPECT_EQ(prepared.entry->target, GetParam().target);
}

INSTANTIATE_TEST_SUITE_P(
    Targets, AddressedTest,
    testing::Values(
        Addressed{"user_derived", R"({"balance_updated":{"user_id":42}})", Target::User(42)},
        Addressed{"user_agrees", R"({"target":{"user_id":42},"balance_updated":{"user_id":42}})",
                  Target::User(42)},
        Addressed{"users_agree",
                  R"({"target":{"user_ids":{"ids":[42,42]}},"balance_updated":{"user_id":42}})",
                  Target::User(42)},
        Addressed{
            "user_in_room_narrows",
            R"({"target":{"user_in_room":{"user_id":42,"room_id":"7"}},"balance_updated":{"user_id":42}})",
            Target::UserInRoom(42, "7")},
        Addressed{"room_number_derived",
                  R"({"room_level_up":{"room_id":42,"new_level":1,"new_room_xp":"1"}})",
                  Target::Room("42")},
        Addressed{
            "room_number_agrees_with_text",
            R"({"target":{"room_id":"42"},"room_level_up":{"room_id":42,"new_level":1,"new_room_xp":"1"}})",
            Target::Room("42")},
        Addressed{"room_text_derived", R"({"room_userLeft":{"roomId":"lobby","userId":1}})",
                  Target::Room("lobby")},
        Addressed{
            "one_user_of_a_room_event",
            R"({"target":{"user_in_room":{"user_id":9,"room_id":"42"}},"room_level_up":{"room_id":42,"new_level":1,"new_room_xp":"1"}})",
            Target::UserInRoom(9, "42")},
        Addressed{
            "user_given",
            R"({"target":{"user_id":42},"agency_dissolved":{"agency_id":1,"agency_name":"n"}})",
            Target::User(42)},
        Addressed{
            "users_once_in_their_order",
            R"({"target":{"user_ids":{"ids":[3,1,3,2,1]}},"agency_dissolved":{"agency_id":1,"agency_name":"n"}})",
            Target::Users({3, 1, 2})},
        Addressed{
            "users_sorted",
            R"({"target":{"user_ids":{"ids":[1,2,3]}},"agency_dissolved":{"agency_id":1,"agency_name":"n"}})",
            Target::Users({1, 2, 3})},
        Addressed{"everyone_declared", R"({"config_invalidate":{"type":"all"}})",
                  Target::Everyone()},
        Addressed{"everyone_given",
                  R"({"target":{"everyone":{}},"config_invalidate":{"type":"all"}})",
                  Target::Everyone()}),
    [](const auto& info) { return std::string(info.param.title); });

struct Misaddressed {
  const char* title;
  const char* emit;
  const char* line;
};

void PrintTo(const Misaddressed& misaddressed, std::ostream* out) { *out << misaddressed.title; }

class MisaddressedTest : public testing::TestWithParam<Misaddressed> {};

TEST_P(MisaddressedTest, IsRefused) {
  const Catalog::Prepared prepared = Prepare(GetParam().emit);
  EXPECT_EQ(prepared.entry, nullptr);
  EXPECT_THAT(Lines(prepared.violations), ElementsAre(GetParam().line));
}

INSTANTIATE_TEST_SUITE_P(
    Targets, MisaddressedTest,
    testing::Values(
        Misaddressed{"nobody_named", R"({"agency_dissolved":{"agency_id":1,"agency_name":"n"}})",
                     "target: is required: agency.dissolved doesn't say whom it is for; must be "
                     "user_id, user_ids or user_in_room"},
        Misaddressed{"empty_target",
                     R"({"target":{},"agency_dissolved":{"agency_id":1,"agency_name":"n"}})",
                     "target: names nobody: must be user_id, user_ids or user_in_room"},
        Misaddressed{
            "empty_list",
            R"({"target":{"user_ids":{}},"agency_dissolved":{"agency_id":1,"agency_name":"n"}})",
            "target.user_ids: has 0 ids: must have 1 to 10000"},
        Misaddressed{
            "zero_in_a_list",
            R"({"target":{"user_ids":{"ids":[1,0]}},"agency_dissolved":{"agency_id":1,"agency_name":"n"}})",
            "target.user_ids.ids[1]: must be a whole number from 1 to 9007199254740991"},
        Misaddressed{
            "zero_user",
            R"({"target":{"user_id":0},"agency_dissolved":{"agency_id":1,"agency_name":"n"}})",
            "target.user_id: must be a whole number from 1 to 9007199254740991"},
        Misaddressed{
            "room_for_a_user_event",
            R"({"target":{"room_id":"42"},"agency_dissolved":{"agency_id":1,"agency_name":"n"}})",
            "target: room_id is not allowed for agency.dissolved: must be user_id, user_ids or "
            "user_in_room"},
        Misaddressed{
            "everyone_for_a_user_event",
            R"({"target":{"everyone":{}},"balance_updated":{"user_id":42}})",
            "target: everyone is not allowed for balance.updated: must be user_id, user_ids or "
            "user_in_room"},
        Misaddressed{
            "user_for_a_room_event",
            R"({"target":{"user_id":42},"room_userLeft":{"roomId":"42","userId":42}})",
            "target: user_id is not allowed for room:userLeft: must be room_id or user_in_room"},
        Misaddressed{"user_for_everyone",
                     R"({"target":{"user_id":42},"config_invalidate":{"type":"all"}})",
                     "target: user_id is not allowed for config:invalidate: must be everyone"},
        Misaddressed{"other_user", R"({"target":{"user_id":43},"balance_updated":{"user_id":42}})",
                     "target: contradicts the payload: must name the payload's user, or be left "
                     "out"},
        Misaddressed{"further_user",
                     R"({"target":{"user_ids":{"ids":[42,43]}},"balance_updated":{"user_id":42}})",
                     "target: contradicts the payload: must name the payload's user, or be left "
                     "out"},
        Misaddressed{
            "other_room",
            R"({"target":{"room_id":"042"},"room_level_up":{"room_id":42,"new_level":1,"new_room_xp":"1"}})",
            "target: contradicts the payload: must name the payload's room, or be left out"},
        Misaddressed{
            "bad_room",
            R"({"target":{"user_in_room":{"user_id":42,"room_id":"a b"}},"balance_updated":{"user_id":42}})",
            "target.user_in_room.room_id: must be 1 to 64 of A-Z a-z 0-9 _ : . -"}),
    [](const auto& info) { return std::string(info.param.title); });

TEST(Targets, TakesTenThousandUsersAndNoMore) {
  v1::EmitEventRequest request =
      Request(R"({"agency_dissolved":{"agency_id":1,"agency_name":"n"}})");
  auto& ids = *request.mutable_target()->mutable_user_ids()->mutable_ids();
  for (int i = 1; i <= 10'000; ++i) ids.Add(i);
  const Catalog::Prepared all = PlainCatalog().Prepare(request, kNow);
  ASSERT_NE(all.entry, nullptr);
  EXPECT_EQ(all.entry->target.users.size(), 10'000);
  ids.Add(1);
  EXPECT_THAT(Lines(PlainCatalog().Prepare(request, kNow).violations),
              ElementsAre("target.user_ids: has 10001 ids: must have 1 to 10000"));
}

}  // namespace
}  // namespace msab
