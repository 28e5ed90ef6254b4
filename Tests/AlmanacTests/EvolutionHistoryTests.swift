import Almanac
import Columns
import Tables
import Testing

/// Random changes of a contract between random commits, against a plain model in memory.
@Suite struct EvolutionHistoryTests {
  private struct Column {
    var name: String
    var type: String
    /// Which column it is, under every name.
    let number: Int
    var previousName: String?
  }

  /// What the dataset should hold: values by key and by the column's number.
  private struct Model {
    var columns = [Column(name: "a", type: "int8", number: 0)]
    /// The columns as the dataset knows them.
    var applied: [Column] = []
    var rows: [Int: [Int: Scalar]] = [:]
    var nextNumber = 1

    var expected: [[Scalar]] {
      rows.keys.sorted().map { key in
        columns.map { column in
          let value = rows[key]![column.number] ?? .null
          // The model keeps every float as the wider one.
          if column.type == "float32", let number = value.double { return .float(Float(number)) }
          return value
        }
      }
    }

    /// Names for another column: not those in use, nor those of columns that go with the next apply, which would stay by that.
    var freeNames: [String] {
      let gone = applied.filter { old in !columns.contains { $0.number == old.number } }
      return ["a", "b", "c", "d", "e", "f"].filter { name in !(columns + gone).contains { $0.name == name } }
    }

    /// The contract that makes the dataset's columns these ones.
    mutating func contract(_ settings: String, using random: inout SplitMix) -> EvolvingContract {
      for index in columns.indices {
        let old = applied.first { $0.number == columns[index].number }
        if let old, old.name != columns[index].name {
          columns[index].previousName = old.name
        } else if let stale = columns[index].previousName, applied.contains(where: { $0.name == stale }) || Bool.random(using: &random) {
          columns[index].previousName = nil
        }
      }
      applied = columns
      var contract = EvolvingContract()
      contract.keys = [.init(name: "k", type: "int32")]
      contract.columns = columns.map { .init(name: $0.name, type: $0.type, previousName: $0.previousName) }
      contract.settings = settings
      return contract
    }
  }

  private static let wider = ["int8": "int16", "int16": "int32", "int32": "int64", "float32": "float64"]

  private func step(_ model: inout Model, using random: inout SplitMix) {
    switch Int.random(in: 0..<4, using: &random) {
    case 0:
      guard let name = model.freeNames.randomElement(using: &random) else { return }
      let type = ["int8", "int16", "int32", "float32", "utf8", "bool"].randomElement(using: &random)!
      let column = Column(name: name, type: type, number: model.nextNumber)
      model.columns.insert(column, at: Int.random(in: 0...model.columns.count, using: &random))
      model.nextNumber += 1
    case 1:
      guard model.columns.count > 1 else { return }
      model.columns.remove(at: model.columns.indices.randomElement(using: &random)!)
    case 2:
      guard let name = model.freeNames.randomElement(using: &random) else { return }
      model.columns[model.columns.indices.randomElement(using: &random)!].name = name
    default:
      let index = model.columns.indices.randomElement(using: &random)!
      guard let type = Self.wider[model.columns[index].type] else { return }
      model.columns[index].type = type
    }
  }

  private func value(_ type: String, using random: inout SplitMix) -> (scalar: Scalar, text: String) {
    if Int.random(in: 0..<5, using: &random) == 0 { return (.null, "") }
    func integer(_ range: ClosedRange<Int64>) -> (Scalar, String) {
      let value = Int64.random(in: range, using: &random)
      return (.int(value), "\(value)")
    }
    switch type {
    case "int8": return integer(-128...127)
    case "int16": return integer(-32768...32767)
    case "int32": return integer(-2_147_483_648...2_147_483_647)
    case "int64": return integer(.min ... .max)
    case "float32": return { ($0, "\($0.double!)") }(Scalar.double(Double(Int64.random(in: -999...999, using: &random)) / 4))
    case "float64": return { ($0, "\($0.double!)") }(Scalar.double(Double.random(in: -1...1, using: &random)))
    case "bool": return Bool.random(using: &random) ? (.bool(true), "true") : (.bool(false), "false")
    default:
      let text = "s\(Int.random(in: 0..<100, using: &random))"
      return (.string(text), text)
    }
  }

  /// - Returns: CSV of an upsert, which the model has taken.
  private func upsert(_ model: inout Model, using random: inout SplitMix) -> String {
    var lines = [(["k"] + model.columns.map(\.name)).joined(separator: ",")]
    for key in (0..<24).filter({ _ in Int.random(in: 0..<4, using: &random) == 0 }) {
      var row: [Int: Scalar] = [:]
      var cells = ["\(key)"]
      for column in model.columns {
        let (scalar, text) = value(column.type, using: &random)
        row[column.number] = scalar
        cells.append(text)
      }
      // A row replaces the whole row, also the values of columns that come back later under other numbers.
      model.rows[key] = row
      lines.append(cells.joined(separator: ","))
    }
    return lines.joined(separator: "\n") + "\n"
  }

  @Test(arguments: 1...10) func randomHistoriesEqualAModel(seed: Int) throws {
    print("seed \(seed)")
    var random = SplitMix(UInt64(seed))
    let workshop = try Workshop()
    var model = Model()
    try workshop.apply(model.contract("leafRows: 16", using: &random))
    try workshop.upsert(upsert(&model, using: &random))
    var ids: [Int: Int32] = [:]
    var versions: [(commit: String, rows: [[Scalar]])] = []
    for _ in 0..<16 {
      // Up to two changes in one apply, with or without rows between the applies.
      for _ in 0..<Int.random(in: 1...2, using: &random) { step(&model, using: &random) }
      try workshop.apply(model.contract("evolution: backward", using: &random))
      if Bool.random(using: &random) {
        let before = try workshop.repository.resolve("main").description
        let rows = model.rows
        try workshop.upsert(upsert(&model, using: &random))
        let diff = try workshop.repository.diff(before, "main", dataset: "t", withRows: false)[0].diff
        #expect(diff.addedCount == model.rows.count - rows.count)
        let numbers = model.columns.map(\.number)
        let changed = rows.filter { key, row in numbers.contains { (row[$0] ?? .null) != (model.rows[key]![$0] ?? .null) } }
        #expect(diff.changedCount == changed.count)
      }
      let table = try workshop.repository.table("t", at: workshop.repository.resolve("main"))
      #expect(table.layout.schema.fields.map(\.name) == ["k"] + model.columns.map(\.name))
      #expect(try table.read().rows.map { Array($0.dropFirst()) } == model.expected)
      for (column, field) in zip(model.columns, table.layout.schema.fields.dropFirst()) {
        #expect(ids[column.number] ?? field.id == field.id, "a column keeps its id")
        ids[column.number] = field.id
      }
      versions.append((try workshop.repository.resolve("main").description, try table.read().rows))
    }
    #expect(Set(ids.values).count == ids.count, "no two columns had one id")
    for version in versions { #expect(try workshop.rows("t", at: version.commit) == version.rows) }

    // Sealed, the version is a function of schema, layout and rows: the same as in a dataset that starts with them.
    _ = try workshop.repository.seal()
    #expect(try workshop.repository.seal().commit == nil)
    #expect(try workshop.rows("t") == versions.last?.rows)
    let everything = try workshop.write("all.parquet", workshop.repository.table("t", at: workshop.repository.resolve("main")).read())
    let layout = try workshop.layout()
    let other = try Workshop()
    let archive = other.repository.archive
    let rows = try TableFile(path: everything).readAll()
    let batch = Batch(schema: layout.schema, columns: rows.columns, rowCount: rows.rowCount)
    guard case .content(let content) = try TableWriter(archive: archive, layout: layout).apply(.append, batch, onto: nil) else {
      Issue.record("the rows conflict")
      return
    }
    var draft = archive.draft()
    #expect(try content.addRoot(to: &draft).description == workshop.root())
  }

  private func contract() -> EvolvingContract {
    var contract = EvolvingContract([("a", "int8")])
    contract.keys = [.init(name: "k", type: "int32")]
    contract.settings = "leafRows: 16"
    return contract
  }

  /// Without drops, the order of changes does not show: the layout of the contract that a dataset has in the end.
  @Test func differentWaysToOneSchemaHaveOneRoot() throws {
    let rows = "k,a,b,c\n1,5,x,true\n2,6,,\n3,,z,false\n"
    var final = contract()
    final.columns = [.init(name: "a", type: "int64"), .init(name: "b", type: "utf8"), .init(name: "c", type: "bool")]
    let straight = try Workshop()
    try straight.apply(final)
    try straight.upsert(rows)

    let crooked = try Workshop()
    var contract = contract()
    try crooked.apply(contract)
    try crooked.upsert("k,a\n3,\n9,1\n")
    contract.columns.append(.init(name: "c", type: "bool"))
    contract.setType(of: "a", to: "int32")
    try crooked.apply(contract)
    contract.rename("a", to: "x")
    try crooked.apply(contract)
    contract.rename("x", to: "a")
    contract.columns.append(.init(name: "b", type: "utf8"))
    try crooked.apply(contract)
    try crooked.apply(final)
    try crooked.upsert(rows)
    try crooked.commit("t", crooked.write("gone.csv", "k\n9\n"), .delete)
    #expect(try crooked.root() == straight.root())

    // A column that came and went is remembered, so that it cannot come back under its old id.
    final.columns.append(.init(name: "d", type: "bool"))
    try crooked.apply(final)
    final.drop("d")
    try crooked.apply(final)
    #expect(try crooked.root() != straight.root())
    #expect(try crooked.layout().schema == straight.layout().schema)
    #expect(try crooked.layout().dropped.count == 1)
  }
}
