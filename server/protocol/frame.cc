#include "server/protocol/frame.h"

#include <cstring>
#include <new>

namespace msab {
namespace {

constexpr uint8_t kFinText = 0x81;
constexpr uint8_t kFinPing = 0x89;

// RFC 6455 §5.2: 7 bits of length, or 126 and 16 bits, or 127 and 64 bits; the shortest that fits.
size_t HeaderSize(size_t payload) { return payload < 126 ? 2 : payload <= 0xffff ? 4 : 10; }

uint8_t* PutHeader(uint8_t* out, size_t payload) {
  *out++ = kFinText;
  if (payload < 126) {
    *out++ = static_cast<uint8_t>(payload);
    return out;
  }
  const int bytes = payload <= 0xffff ? 2 : 8;
  *out++ = bytes == 2 ? 126 : 127;
  for (int i = bytes - 1; i >= 0; --i) *out++ = static_cast<uint8_t>(uint64_t{payload} >> (8 * i));
  return out;
}

}  // namespace

FramePtr Frame::Make(size_t size, Kind kind, EntryPtr latest, uint8_t** data) {
  void* memory = ::operator new(sizeof(Frame) + size);
  auto* frame = new (memory) Frame(size, kind, std::move(latest));
  *data = reinterpret_cast<uint8_t*>(frame + 1);
  return FramePtr(frame);
}

void Frame::Destroy() {
  this->~Frame();
  ::operator delete(this);
}

FramePtr Frame::MakeText(std::initializer_list<std::string_view> parts, Kind kind,
                         EntryPtr latest) {
  size_t payload = 0;
  for (std::string_view part : parts) payload += part.size();
  uint8_t* out = nullptr;
  FramePtr frame = Make(HeaderSize(payload) + payload, kind, std::move(latest), &out);
  out = PutHeader(out, payload);
  for (std::string_view part : parts) {
    if (part.empty()) continue;
    std::memcpy(out, part.data(), part.size());
    out += part.size();
  }
  return frame;
}

FramePtr Frame::Text(std::initializer_list<std::string_view> parts, Kind kind) {
  return MakeText(parts, kind, nullptr);
}

FramePtr Frame::Event(std::initializer_list<std::string_view> parts, const EntryPtr& entry) {
  const DeliveryClass delivery = entry->type->delivery;
  return MakeText(parts, delivery == DeliveryClass::kEphemeral ? Kind::kEphemeral : Kind::kData,
                  delivery == DeliveryClass::kLatest ? entry : nullptr);
}

FramePtr Frame::Raw(size_t size, uint8_t** data) {
  return Make(size, Kind::kControl, nullptr, data);
}

FramePtr Frame::Ping() {
  uint8_t* out = nullptr;
  FramePtr frame = Make(2, Kind::kControl, nullptr, &out);
  out[0] = kFinPing;
  out[1] = 0;
  return frame;
}

std::string_view Frame::text() const {
  const uint8_t length = data()[1] & 0x7f;
  const size_t header = length < 126 ? 2 : length == 126 ? 4 : 10;
  return {reinterpret_cast<const char*>(data()) + header, size_ - header};
}

}  // namespace msab
