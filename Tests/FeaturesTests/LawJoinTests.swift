import Columns
import Testing

@testable import Features

/// One row in, one row out, and never a value from the future: the join against going through all rows for every label.
@Suite struct LawJoinTests {
  @Test(arguments: 0..<12) func joinEqualsTheNaiveOne(round: Int) throws {
    let seed = UInt64.random(in: 0...UInt64.max / 2) * 2 + UInt64(round % 2)
    let history = LawHistory(seed: seed, rowCount: [0, 1, 30, 250, 600][round % 5], labelCount: [200, 40, 7][round % 3])
    let source = history.source
    let definitions = try DefinitionSet.parse(files: [("sales.yaml", LawHistory.yaml)])
    let service = try definitions.compile(service: "all", sources: ["orders": source.table("orders")])
    let training = try TrainingSet.build(service: service, labels: history.labelBatch, source: source)
    #expect(training.batch.rowCount == history.labels.count)
    #expect(training.batch.schema.fields.prefix(3) == history.labelBatch.schema.fields.prefix(3))
    #expect(training.batch.columns.prefix(3).map(\.scalars) == history.labelBatch.columns.map(\.scalars))
    for (row, label) in history.labels.enumerated() {
      let expected = history.expected(label)
      #expect(expected.count == training.featureNames.count)
      for name in training.featureNames {
        let found = try #require(training.batch[name]).scalar(at: row)
        let wanted = try #require(expected[name])
        #expect(found.isSame(as: wanted), "seed \(seed): \(name) of \(label) is \(found), expected \(wanted)")
      }
    }
  }
}
