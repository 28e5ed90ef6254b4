import Columns

/// The dataset a feature view reads, as its contract and schema describe it.
package struct SourceTable: Hashable, Sendable {
  package var name: String
  package var schema: Schema
  package var primaryKey: [String]
  /// Nil for a timeless dataset: its rows are valid at every time.
  package var eventTime: String?
  package var createdTime: String?

  package init(name: String, schema: Schema, primaryKey: [String], eventTime: String? = nil, createdTime: String? = nil) {
    self.name = name
    self.schema = schema
    self.primaryKey = primaryKey
    self.eventTime = eventTime
    self.createdTime = createdTime
  }
}

package struct CompiledFeature: Sendable {
  package enum Kind: Sendable {
    case value(CompiledExpression)
    case aggregate(AggregateFunction, of: CompiledExpression?, window: Window, filter: CompiledExpression?)
  }

  package let name: String
  /// The type of the result: `count` and integer `sum` int64, `avg` and float `sum` float64, `min` and `max` that of `of`.
  package let type: DataType
  package let kind: Kind
}

/// A feature view bound to its source: every expression parsed and type-checked.
package struct CompiledView: Sendable {
  package let view: FeatureView
  package let entity: Entity
  package let source: SourceTable
  /// The source columns of the entity's keys, in the entity's order.
  package let keyColumns: [String]
  /// The types of those source columns.
  package let keyTypes: [DataType]
  package let filter: CompiledExpression?
  /// In the view's order; only those in use when the view was compiled for a service.
  package let features: [CompiledFeature]
  /// Every source column needed: keys, event time, created time, rest of the primary key, then what expressions read.
  package let sourceColumns: [String]

  /// The created time that decides which rows are known at a time; nil when all are.
  package var knowledgeColumn: String? { view.knowledge == .created ? source.createdTime : nil }

  /// Whether its values hold at every time.
  package var isTimeless: Bool { source.eventTime == nil && knowledgeColumn == nil }
}

/// One use of a view by a service: a view may be joined several times under different label columns.
package struct CompiledViewUse: Sendable {
  /// Holds only the features that this use needs.
  package let view: CompiledView
  package let alias: String?
  /// Entity key to label column, for the keys whose label column has another name.
  package let joinKeys: [String: String]
  /// The label column of each entity key, in the entity's order.
  package let labelColumns: [String]
}

/// One feature of a view that a service looks up: one of its columns, or what an on-demand feature reads.
package struct ServiceOutput: Hashable, Sendable {
  package let outputName: String
  /// Index into `CompiledService.views`.
  package let view: Int
  /// Index into that view's `features`.
  package let feature: Int
  package let type: DataType
}

package struct CompiledService: Sendable {
  package let name: String
  /// What is looked up: the service's features of views in service order, then what only its on-demand features read.
  package let outputs: [ServiceOutput]
  package let views: [CompiledViewUse]
  /// Every one comes after those it reads.
  package let onDemand: [OnDemandStep]
  /// The columns of the service, in its order.
  package let results: [ServiceResult]
}

/// One column that a service gives.
package struct ServiceResult: Hashable, Sendable {
  package enum Source: Hashable, Sendable {
    /// Index into `CompiledService.outputs`.
    case lookup(Int)
    /// Index into `CompiledService.onDemand`.
    case onDemand(Int)
  }

  /// As the service was compiled: short or full.
  package let name: String
  package let source: Source
  package let type: DataType
}

/// An on-demand feature whose inputs are bound.
package struct OnDemandStep: Sendable {
  /// Where the values of an input come from: looked up, or an earlier step.
  package typealias Input = ServiceResult.Source

  package let feature: CompiledOnDemand
  /// Per input of the feature.
  package let inputs: [Input]

  package init(feature: CompiledOnDemand, inputs: [Input]) {
    self.feature = feature
    self.inputs = inputs
  }
}
