import Almanac
import Columns
import Foundation
import Tables
import Testing

/// Random commits of files with random columns, between random changes of the contract, against a plain model in memory.
///
/// ALMANAC_SEEDS=1000 plays more histories than the usual 24.
@Suite struct AbsentColumnsHistoryTests {
  static let seedCount = ProcessInfo.processInfo.environment["ALMANAC_SEEDS"].flatMap { Int($0) } ?? 24

  /// So small that a few rows pass through tails, merges of tails and folds.
  private static let policy = TailPolicy(
    rewrittenRowCountMin: 16, rewrittenRowFactor: 2, mergeCount: 3, sizeClassFactor: 3, foldFactor: 2)

  private struct Column {
    var name: String
    var type: String
    /// Which column it is, under every name.
    let number: Int
    var previousName: String?
  }

  /// One history: the columns, and the rows by key and by the column's number.
  private struct History {
    enum Shape: CaseIterable { case keyAlone, monthly, timeOutside }

    let workshop: Workshop
    let repository: Repository
    let shape: Shape
    var random: SplitMix
    var columns = [Column(name: "a", type: "int32", number: 0), Column(name: "b", type: "utf8", number: 1)]
    var rows: [Int: [Int: Scalar]] = [:]
    var nextNumber = 2

    /// The number of the event time where it is a column beside the key.
    static let time = -1

    init(seed: Int) throws {
      workshop = try Workshop()
      repository = Repository(
        folder: workshop.repository.folder, archive: workshop.repository.archive, tailPolicy: AbsentColumnsHistoryTests.policy)
      shape = Shape.allCases[seed % 3]
      random = SplitMix(UInt64(seed))
      try apply()
    }

    mutating func apply() throws {
      var contract = EvolvingContract()
      contract.columns = columns.map { .init(name: $0.name, type: $0.type, previousName: $0.previousName) }
      contract.settings = shape == .keyAlone ? "evolution: backward" : "eventTime: at"
      if shape != .monthly { contract.keys.removeLast() }
      if shape == .timeOutside { contract.columns.insert(.init(name: "at", type: "'timestamp[us,UTC]'", isRequired: true), at: 0) }
      contract.settings += ", leafRows: 16"
      try workshop.apply(contract)
      for index in columns.indices { columns[index].previousName = nil }
    }

    mutating func changeColumns() throws {
      switch Int.random(in: 0..<5, using: &random) {
      case 0:
        let type = ["int32", "utf8", "bool", "float32"].randomElement(using: &random)!
        columns.append(Column(name: "c\(nextNumber)", type: type, number: nextNumber))
        nextNumber += 1
      case 1:
        guard columns.count > 1 else { return }
        columns.remove(at: columns.indices.randomElement(using: &random)!)
      case 2:
        let index = columns.indices.randomElement(using: &random)!
        columns[index].previousName = columns[index].name
        columns[index].name = "c\(nextNumber)"
        nextNumber += 1
      case 3:
        let index = columns.indices.randomElement(using: &random)!
        guard let wider = ["int32": "int64", "float32": "float64"][columns[index].type] else { return }
        columns[index].type = wider
      default: columns.shuffle(using: &random)
      }
      try apply()
    }

    private mutating func value(_ type: String) -> Scalar {
      if Int.random(in: 0..<5, using: &random) == 0 { return .null }
      switch type {
      case "int32", "int64": return .int(Int64.random(in: -9...9, using: &random))
      case "bool": return .bool(Bool.random(using: &random))
      case "float32", "float64": return .double(Double(Int.random(in: -9...9, using: &random)) / 4)
      default: return .string(String(repeating: "s", count: Int.random(in: 0..<200, using: &random)))
      }
    }

    static func instant(_ key: Int) -> Scalar { .timestamp(Workshop.february + Int64(key) * 86_400_000_000, .microsecond) }

    /// Files of rows with the given keys, each with columns of its own. - Returns: the files, and what each key is sent.
    private mutating func files(
      _ keys: [Int], lacking: Bool
    ) throws -> (inputs: [CommitInput], sent: [(key: Int, values: [Int: Scalar])], lacksTime: Bool) {
      var inputs: [CommitInput] = []
      var sent: [(key: Int, values: [Int: Scalar])] = []
      var lacksTime = false
      let cut = Int.random(in: 0...keys.count, using: &random)
      for (part, own) in [keys[..<cut], keys[cut...]].enumerated() where !own.isEmpty {
        var fields = [Field("k", .int32)]
        var values = [own.map { Scalar.int(Int64($0)) }]
        let hasTime = shape == .monthly || shape == .timeOutside && !(lacking && Bool.random(using: &random))
        if hasTime {
          fields.append(Field("at", .timestampMicros))
          values.append(own.map { Self.instant($0) })
        }
        lacksTime = lacksTime || shape == .timeOutside && !hasTime
        var rows = own.map { (key: $0, values: hasTime && shape == .timeOutside ? [Self.time: Self.instant($0)] : [:]) }
        for column in columns where !lacking || Bool.random(using: &random) {
          let type = DataType(parsing: column.type)!
          let cells = own.map { _ in value(column.type) }
          fields.append(Field(column.name, type))
          values.append(cells.map { type == .float32 ? .float(Float($0.double ?? 0)) : $0 })
          for index in cells.indices {
            if type == .float32, cells[index] == .null { values[values.count - 1][index] = .null }
            rows[index].values[column.number] = cells[index]
          }
        }
        let order = fields.indices.shuffled(using: &random)
        let batch = Batch(
          schema: Schema(order.map { fields[$0] }), columns: order.map { Columns.Column(fields[$0].type, values[$0]) }, rowCount: own.count)
        let ending = ["csv", "jsonl", "parquet", "arrow"].randomElement(using: &random)!
        inputs.append(CommitInput(dataset: "t", path: try workshop.write("\(part).\(ending)", batch)))
        sent += rows
      }
      return (inputs, sent, lacksTime)
    }

    mutating func commit() throws {
      let keys = Array((0..<60).shuffled(using: &random).prefix(Int.random(in: 1...30, using: &random)))
      let mode = [ChangeMode.upsert, .upsert, .upsert, .append, .delete, .replace].randomElement(using: &random)!
      let wanted = mode == .append ? keys.filter { rows[$0] == nil } : keys
      guard !wanted.isEmpty else { return }
      let (inputs, sent, lacksTime) = try files(wanted, lacking: mode == .upsert || shape != .timeOutside)
      let memory = [Repository.defaultMemoryByteCount, 4000, 400].randomElement(using: &random)!
      let isRefused = mode == .upsert && lacksTime && sent.contains { rows[$0.key] == nil && $0.values[Self.time] == nil }
      do {
        _ = try repository.commit(inputs, mode: mode, message: "\(mode)", memoryByteCount: memory)
        if isRefused { throw AlmanacError(.failed, "A new row without event time was accepted") }
      } catch let error as AlmanacError {
        guard isRefused, error.description.contains("without column at") else { throw error }
        return
      }
      if mode == .replace { rows = [:] }
      for (key, values) in sent {
        if mode == .delete { rows[key] = nil } else { rows[key, default: [:]].merge(values) { $1 } }
      }
    }

    /// The rows as the dataset should show them.
    var expected: [[Scalar]] {
      rows.keys.sorted().map { key in
        let time = shape == .keyAlone ? [] : [Self.instant(key)]
        return [.int(Int64(key))] + time
          + columns.map { column in
            let value = rows[key]![column.number] ?? .null
            if column.type == "float32", let number = value.double { return .float(Float(number)) }
            return value
          }
      }
    }
  }

  @Test func randomHistoriesEqualAModel() throws {
    print("seeds 1...\(Self.seedCount)")
    for seed in 1...Self.seedCount {
      var history = try History(seed: seed)
      do {
        for _ in 0..<14 {
          if Int.random(in: 0..<4, using: &history.random) == 0 {
            try history.changeColumns()
          } else {
            try history.commit()
          }
          guard try history.repository.commit(history.repository.resolve("main")).datasets["t"] != nil else { continue }
          let found = try history.workshop.rows("t")
          #expect(found == history.expected, "seed \(seed)")
          if found != history.expected { break }
        }
      } catch {
        Issue.record("seed \(seed): \(error)")
      }
    }
  }
}
