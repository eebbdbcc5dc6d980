#include "runtime/http/visit.h"

#include <utility>

namespace caisson::http {

Admit everybody(Handler handler) {
  class Plain final : public Visit {
   public:
    explicit Plain(Handler handler) : handler_(std::move(handler)) {}
    void run(Request&& request, Reply&& reply) override {
      handler_(std::move(request), std::move(reply));
    }
    std::optional<Response> refuse(const Refusal&) override { return {}; }

   private:
    const Handler handler_;
  };
  // Keeps nothing of a request, so one serves all.
  return [visit = std::make_shared<Plain>(std::move(handler))](const Request&) {
    return Admission{.visit = visit};
  };
}

}  // namespace caisson::http
