#include "tests/e2e/harness/json.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace msab::e2e {

Json ParseJson(std::string_view text) {
  boost::json::error_code error;
  Json value = boost::json::parse({text.data(), text.size()}, error);
  if (error) {
    ADD_FAILURE() << "not JSON (" << error.message() << "): " << text.substr(0, 400);
    return nullptr;
  }
  return value;
}

const Json& At(const Json& object, std::string_view key) {
  static const Json* const kNull = new Json(nullptr);
  if (!object.is_object()) return *kNull;
  const Json* found = object.get_object().if_contains({key.data(), key.size()});
  return found != nullptr ? *found : *kNull;
}

bool Has(const Json& object, std::string_view key) {
  return object.is_object() && object.get_object().contains({key.data(), key.size()});
}

std::string Text(const Json& object, std::string_view key) {
  const Json& member = At(object, key);
  return member.is_string() ? std::string(member.get_string().c_str()) : std::string();
}

int64_t Number(const Json& object, std::string_view key) {
  const Json& member = At(object, key);
  if (member.is_int64()) return member.get_int64();
  if (member.is_uint64()) return static_cast<int64_t>(member.get_uint64());
  return 0;
}

std::string Quoted(std::string_view text) {
  return boost::json::serialize(Json(boost::json::string_view(text.data(), text.size())));
}

}  // namespace msab::e2e
