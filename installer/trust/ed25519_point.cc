#include "installer/trust/ed25519_point.h"

#include <algorithm>
#include <memory>
#include <new>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>

namespace caisson::installer {
namespace {

struct Free {
  void operator()(BIGNUM* number) const noexcept { BN_free(number); }
  void operator()(BN_CTX* context) const noexcept { BN_CTX_free(context); }
  void operator()(EC_GROUP* group) const noexcept { EC_GROUP_free(group); }
  void operator()(EC_POINT* point) const noexcept { EC_POINT_free(point); }
};

template <class T>
using Owned = std::unique_ptr<T, Free>;
using Number = Owned<BIGNUM>;

/// What OpenSSL made. It makes nothing of what is here only where memory is short.
template <class T>
Owned<T> made(T* pointer) {
  if (pointer == nullptr) throw std::bad_alloc();
  return Owned<T>(pointer);
}

void check(int done) {
  if (done != 1) throw std::bad_alloc();
}

Number number(const char* digits) {
  BIGNUM* read = nullptr;
  (void)BN_hex2bn(&read, digits);
  return made(read);
}

constexpr Ordinate ordinate_of(unsigned char lowest, unsigned char middle, unsigned char highest) {
  Ordinate y{};
  y.fill(middle);
  y.front() = lowest;
  y.back() = highest;
  return y;
}

/// Below 2^255 - 19.
bool is_canonical(const Ordinate& y) {
  constexpr auto prime = ordinate_of(0xed, 0xff, 0x7f);
  return std::lexicographical_compare(y.rbegin(), y.rend(), prime.rbegin(), prime.rend());
}

/// The points whose order divides 8 have these ordinates: 0 (order 4), 1 (order 1), -1 (order 2)
/// and two of order 8.
bool is_of_small_order(const Ordinate& y) {
  constexpr Ordinate small[] = {
      ordinate_of(0, 0, 0),
      ordinate_of(1, 0, 0),
      ordinate_of(0xec, 0xff, 0x7f),
      {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
       0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
       0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
      {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b,
       0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
       0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
  };
  return std::ranges::find(small, y) != std::end(small);
}

/// Ed25519's curve as y^2 = x^3 + a x + b, on which OpenSSL counts with any points; on the Edwards
/// curve it offers no more than signatures. The two are one group ("Wei25519", draft-ietf-lwig-
/// curve-representations): a point with the ordinate y has u = (1 + y) / (1 - y) on Curve25519 and
/// x = u + 486662 / 3 here. The group has no generator, so that nothing relies on an order.
class Curve {
 public:
  Curve()
      : context_(made(BN_CTX_new())),
        prime_(number("7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed")) {
    const auto a = number("2aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa984914a144");
    const auto b = number("7b425ed097b425ed097b425ed097b425ed097b425ed097b4260b5e9c7710c864");
    group_ = made(EC_GROUP_new_curve_GFp(prime_.get(), a.get(), b.get(), context_.get()));
  }

  /// Null where there is none. Of the two with that y it is one, and the other is its inverse,
  /// which has the same order. Not of y = 1.
  [[nodiscard]] Owned<EC_POINT> point(const Ordinate& ordinate) {
    const auto y = made(BN_lebin2bn(ordinate.data(), static_cast<int>(ordinate.size()), nullptr));
    const auto x = made(BN_new());
    const auto below = made(BN_new());
    check(BN_mod_sub(below.get(), BN_value_one(), y.get(), prime_.get(), context_.get()));
    const auto inverse = made(BN_mod_inverse(nullptr, below.get(), prime_.get(), context_.get()));
    check(BN_mod_add(x.get(), BN_value_one(), y.get(), prime_.get(), context_.get()));
    check(BN_mod_mul(x.get(), x.get(), inverse.get(), prime_.get(), context_.get()));
    const auto third = number("2aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaad2451");
    check(BN_mod_add(x.get(), x.get(), third.get(), prime_.get(), context_.get()));
    auto point = made(EC_POINT_new(group_.get()));
    if (EC_POINT_set_compressed_coordinates(group_.get(), point.get(), x.get(), 0,
                                            context_.get()) != 1) {
      return nullptr;
    }
    return point;
  }

  /// Whether L times the point is nothing, L being the order of the base point.
  [[nodiscard]] bool has_order_of_base(const EC_POINT& point) {
    const auto order = number("1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed");
    const auto product = made(EC_POINT_new(group_.get()));
    check(EC_POINT_mul(group_.get(), product.get(), nullptr, &point, order.get(), context_.get()));
    return EC_POINT_is_at_infinity(group_.get(), product.get()) == 1;
  }

 private:
  Owned<BN_CTX> context_;
  Number prime_;
  Owned<EC_GROUP> group_;
};

}  // namespace

std::string_view fault_of_point(const Ordinate& y) {
  if (!is_canonical(y)) return "its point is not canonical";
  if (is_of_small_order(y)) return "its point is of small order";
  Curve curve;
  const auto point = curve.point(y);
  // OpenSSL's queue of errors outlives the call, and nobody reads it.
  ERR_clear_error();
  if (!point) return "its point is not on the curve";
  if (!curve.has_order_of_base(*point)) return "a part of its point is of small order";
  return {};
}

}  // namespace caisson::installer
