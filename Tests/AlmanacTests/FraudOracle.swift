import Columns

/// The features of fixtures/features/fraud.yaml once more, straight from their definitions and without the engine: for every
/// label a loop over all events of its entity.
struct FraudOracle {
  struct Transaction {
    let user: Int64
    let time: Int64
    let id: String
    let created: Int64
    let amount: Double
    let rate: Double?
    let merchant: Int64
    let items: Int64?
    let category: Scalar
    let isOnline: Bool?
  }

  struct Profile {
    let time: Int64
    let values: [Scalar]
  }

  static let hour: Int64 = 3_600_000_000
  static let day: Int64 = 24 * hour
  static let ttl: Int64 = 30 * day

  /// In service order.
  static let names = [
    "last_amount", "last_category", "last_amount_usd", "txn_count_24h", "big_24h", "spend_7d", "spend_30d", "avg_amount_30d",
    "min_amount_30d", "max_amount_30d", "online_share_30d", "items_total", "country", "age", "credit_score", "volume_1h", "volume_7d",
  ]
  static let views = [("user_spend", 12), ("user_profile", 3), ("merchant_volume", 2)].flatMap { view in
    [String](repeating: view.0, count: view.1)
  }

  var byUser: [Int64: [Transaction]] = [:]
  var byMerchant: [Int64: [Transaction]] = [:]
  var profiles: [Int64: [Profile]] = [:]

  init(transactions: Batch, profiles profileRows: Batch) {
    for row in transactions.rows {
      let event = Transaction(
        user: row[0].int!, time: row[1].micros!, id: row[2].string!, created: row[3].micros!, amount: row[4].double!,
        rate: row[5].double, merchant: row[7].int!, items: row[8].int, category: row[9], isOnline: row[10].bool)
      byUser[event.user, default: []].append(event)
      byMerchant[event.merchant, default: []].append(event)
    }
    for row in profileRows.rows {
      profiles[row[0].int!, default: []].append(Profile(time: row[1].micros!, values: Array(row[2...4])))
    }
  }

  func events(ofUser user: Int64?) -> [Transaction] { user.flatMap { byUser[$0] } ?? [] }
  func events(ofMerchant merchant: Int64?) -> [Transaction] { merchant.flatMap { byMerchant[$0] } ?? [] }

  /// The transaction that `expr` features of user_spend see at a time.
  func newest(ofUser user: Int64?, at time: Int64) -> Transaction? {
    events(ofUser: user).filter { time - Self.ttl <= $0.time && $0.time <= time }
      .max { a, b in (a.time, a.created) != (b.time, b.created) ? (a.time, a.created) < (b.time, b.created) : a.id < b.id }
  }

  /// The values of `names` for one label; a null key is an entity without events.
  func features(user: Int64?, merchant: Int64?, at time: Int64) -> [Scalar] {
    func window(_ events: [Transaction], _ width: Int64) -> [Transaction] {
      events.filter { time - width < $0.time && $0.time <= time }
    }
    func sum(_ events: [Transaction]) -> Scalar {
      events.isEmpty ? .null : .double(ExactSum(events.map(\.amount)).rounded)
    }
    let spent = events(ofUser: user)
    let newest = newest(ofUser: user, at: time)
    let (day1, day7, day30) = (window(spent, Self.day), window(spent, 7 * Self.day), window(spent, 30 * Self.day))
    let ever = spent.filter { $0.time <= time }.compactMap(\.items)
    let profile = user.flatMap { profiles[$0] }?.filter { $0.time <= time }.max { $0.time < $1.time }
    let volume = events(ofMerchant: merchant).filter { $0.amount > 1 }
    let online = ExactSum(day30.map { $0.isOnline == true ? 1 : 0 })
    return [
      newest.map { .double($0.amount) } ?? .null,
      newest?.category ?? .null,
      newest.map { .double($0.amount * ($0.rate ?? 1)) } ?? .null,
      .int(Int64(day1.count)),
      .int(Int64(day1.filter { $0.amount > 100 }.count)),
      sum(day7),
      sum(day30),
      day30.isEmpty ? .null : .double(ExactSum(day30.map(\.amount)).mean(of: day30.count)),
      day30.map(\.amount).min().map { .double($0) } ?? .null,
      day30.map(\.amount).max().map { .double($0) } ?? .null,
      day30.isEmpty ? .null : .double(online.mean(of: day30.count)),
      ever.isEmpty ? .null : .int(ever.reduce(0, +)),
    ] + (profile?.values ?? [.null, .null, .null]) + [sum(window(volume, Self.hour)), sum(window(volume, 7 * Self.day))]
  }

  /// How a training set differs from what this oracle says of its labels; empty when it does not.
  func differences(_ training: Batch, names: [String] = Self.names) -> [String] {
    let users = training["user_id"]!.scalars
    let merchants = training["merchant_id"]!.scalars
    let times = training["event_timestamp"]!.scalars
    let found = names.map { name in training[name]?.scalars ?? [] }
    guard found.allSatisfy({ $0.count == training.rowCount }) else { return ["columns: \(training.schema.fields.map(\.name))"] }
    var differences: [String] = []
    for row in 0..<training.rowCount {
      let wanted = features(user: users[row].int, merchant: merchants[row].int, at: times[row].micros!)
      for (index, name) in names.enumerated() where !found[index][row].isSame(as: wanted[index]) {
        differences.append(
          "row \(row) (\(users[row]), \(merchants[row]), \(times[row])): \(name) is \(found[index][row]), expected \(wanted[index])")
      }
    }
    return differences
  }
}
