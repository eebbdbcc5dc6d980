module caisson/peers
go 1.23
require (
	github.com/kubernetes/kompose v1.35.0
	github.com/score-spec/score-compose v0.11.0
)
