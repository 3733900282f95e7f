#ifndef MSAB_TESTS_E2E_HARNESS_JSON_H_
#define MSAB_TESTS_E2E_HARNESS_JSON_H_

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <string>
#include <string_view>

namespace msab::e2e {

using Json = boost::json::value;
using JsonArray = boost::json::array;
using JsonObject = boost::json::object;

// Parses one JSON text. A test that hands in anything else fails here and gets null.
Json ParseJson(std::string_view text);

// The member `key` of an object; null where there is none (a test compares, so it then fails).
const Json& At(const Json& object, std::string_view key);

bool Has(const Json& object, std::string_view key);

// The member as text or number; "" and 0 where it is absent or of another kind.
std::string Text(const Json& object, std::string_view key);
int64_t Number(const Json& object, std::string_view key);

// Text as a JSON string literal, quotes included.
std::string Quoted(std::string_view text);

}  // namespace msab::e2e

#endif  // MSAB_TESTS_E2E_HARNESS_JSON_H_
